"""What leaves an exported text, and what stays in it."""

from __future__ import annotations

import pytest

from reviews.redacting import redacted


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Mail me at ann.lee+x@mail.example.org, please.", "Mail me at [EMAIL], please."),
        ("Call +49 (0)170 1234567 or 0170-1234567.", "Call [NUMBER] or [NUMBER]."),
        ("我的手机号是13812345678，谢谢", "我的手机号是[NUMBER]，谢谢"),
        ("身份证 11010519491231002X。", "身份证 [NUMBER]。"),
        ("Card 4111 1111 1111 1111!", "Card [NUMBER]!"),
        ("IBAN DE89 3704 0044 0532 0130 00", "IBAN [IBAN]"),
        ("Where is order MG12345678?", "Where is order [CODE]?"),
        ("Customer no. 4471902", "Customer no. [CODE]"),
        ("See https://shop.example/o/1?token=abc.", "See [LINK]."),
        ("From 192.168.10.44", "From [IP]"),
    ],
)
def test_what_has_a_form_goes(text: str, left: str) -> None:
    assert redacted(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "Delivery takes 2 to 4 working days and costs €4.90.",
        "Orders of 1,250.00 EUR by 12:00 on 24.12.2026 or 2026-12-24 12:00.",
        "The TX-40 lamp has 3000 lumens; model A12.",
        "满 300 元免运费，2 到 4 个工作日送达。",
        "Version 3.11.7",
    ],
)
def test_prices_dates_and_models_stay(text: str) -> None:
    assert redacted(text) == text


def test_what_the_desk_knows_of_the_customer_goes_in_any_case() -> None:
    known = ["Ann Lee", "李雷", "cust-17", "Jo", ""]
    text = "I am ANN LEE (cust-17), 我是李雷。 Announce it to Jo."
    assert redacted(text, known=known) == "I am [CUSTOMER] ([CUSTOMER]), 我是[CUSTOMER]。 Announce it to Jo."


def test_what_the_company_published_stays() -> None:
    published = "Write to help@shop.example or call 0800 123 45 67. https://shop.example/returns"
    text = "Write to help@shop.example, or call 0800 123 45 67, not me@home.example. https://shop.example/returns."
    assert redacted(text, published=published) == text.replace("me@home.example", "[EMAIL]")
