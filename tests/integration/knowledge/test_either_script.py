"""Words are found in the other script, in the other width, and past what nobody sees."""

from __future__ import annotations

import pytest

from tests.factories import make_tenant
from tests.integration.knowledge.articles import find, publish, titles

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("question", "body", "language"),
    [
        ("運費多少錢？", "不满199元收运费12元。", "zh"),
        ("积分多久过期？", "積分有效期為兩年。", "zh"),
        ("What is SPRING15?", "Stu\u200bdents get the code SPRING\u200b15.", "en"),
        ("What is ＳＰＲＩＮＧ１５?", "The code is SPRING15.", "en"),
        ("dis\u00adcount code", "The discount is ten per cent.", "en"),
        ("退货地址", "退貨請寄到倉庫。", "zh"),
    ],
)
def test_a_question_finds_the_words_in_the_other_script_and_width(question: str, body: str, language: str) -> None:
    tenant = make_tenant()
    publish(tenant, "Help", body, language=language)
    assert titles(find(tenant, question, by_meaning=False)) == ["Help"]
