"""A translation stands beside its source only when what can be compared survived."""

from __future__ import annotations

import pytest

from inference_worker.answering.checking.translations import reason_against

EN = "Express delivery takes one working day and costs 9 EUR; write to help@mossgate.example."
ZH = "加急配送需要一个工作日，费用为9欧元；请写信至 help@mossgate.example。"


@pytest.mark.parametrize(
    ("source", "translation", "language"),
    [
        (EN, ZH, "zh"),
        (ZH, EN, "en"),
        ("Unused pots may be returned within 30 days.", "未使用的花盆可以在30天内退货。", "zh"),
        ("Opened bags cannot be returned.", "已拆封的袋子不能退货。", "zh"),
        ("已拆封的袋子不能退货。", "Opened bags cannot be returned.", "en"),
        ("The XJ-200B draws 750 W.", "XJ-200B 的功率为 750 瓦。", "zh"),
        ("See https://mossgate.example/returns for more.", "更多信息请见 https://mossgate.example/returns。", "zh"),
        ("Delivery is free of charge from 50 EUR.", "满50欧元免费送货。", "zh"),
        ("We answer from 9:00 to 17:30.", "我们在 9:00 至 17:30 回复。", "zh"),
        ("三十天内可以退货。", "You may return it within 30 days.", "en"),
    ],
)
def test_a_true_translation_is_kept(source: str, translation: str, language: str) -> None:
    assert reason_against(source, translation, language=language) == ""


@pytest.mark.parametrize(
    ("source", "translation", "language", "reason"),
    [
        (EN, ZH.replace("9欧元", "8欧元"), "zh", "number"),
        (EN, ZH.replace("9欧元", "9美元"), "zh", "number"),
        (EN, ZH.replace("，费用为9欧元", ""), "zh", "number"),
        (EN, ZH.replace("一个工作日", "两个工作日"), "zh", "number"),
        ("Pots may be returned.", "花盆可以在30天内退货。", "zh", "number"),
        ("Delivery takes three days.", "免费送货，需要三天。", "zh", "number"),
        (EN, ZH.replace("help@mossgate", "shop@mossgate"), "zh", "link"),
        ("See https://mossgate.example/returns for more.", "更多信息请见我们的网站。", "zh", "link"),
        ("The XJ-200B is loud.", "XJ-200A 很响。", "zh", "code"),
        ("The XJ-200B is loud.", "这款机器很响。", "zh", "code"),
        ("Opened bags cannot be returned.", "已拆封的袋子可以退货。", "zh", "negation"),
        ("花盆可以退货。", "Pots cannot be returned.", "en", "negation"),
        ("Unused pots may be returned.", "Unused pots may be returned.", "zh", "language"),
        ("花盆可以退货。", "花盆可以退货。", "en", "language"),
        ("花盆可以退货。", "You may return 花盆.", "en", "language"),
        ("Unused pots may be returned.", "", "zh", "language"),
        ("Unused pots may be returned.", "可以退货，" * 40, "zh", "length"),
        ("花盆可以在收到货之后的任何时候带着原来的包装和小票到我们的任何一家门店退货。", "Yes.", "en", "length"),
    ],
)
def test_what_changed_is_named(source: str, translation: str, language: str, reason: str) -> None:
    assert reason_against(source, translation, language=language) == reason
