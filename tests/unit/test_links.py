"""Web addresses in text: the cases that the widget's module is held to as well."""

from __future__ import annotations

import json
import re

import pytest
from django.template import Context, Template

from helpdesk.pages.links import linked
from tests.conftest import ROOT

CASES: list[tuple[str, list[str]]] = json.loads((ROOT / "tests/link_cases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("text", "addresses"), CASES, ids=[text for text, _ in CASES])
def test_addresses_are_found_whole_and_without_the_sentence(text: str, addresses: list[str]) -> None:
    parts = linked(text)
    assert [part.text for part in parts if part.href] == addresses
    assert "".join(part.text for part in parts) == text
    assert [part.href.removeprefix("https://") for part in parts if part.text.startswith("www.") and part.href] == [
        address for address in addresses if address.startswith("www.")
    ]


def test_in_a_page_only_addresses_become_elements() -> None:
    text = '<img src=x onerror=alert(1)> & "https://a.example/x?y=1&z=2" items[1] - 5 °C, 5 ** 2 www.b.example'
    page = Template("{{ text|linked }}").render(Context({"text": text}))
    attributes = 'target="_blank" rel="noopener noreferrer nofollow"'
    assert page == (
        "&lt;img src=x onerror=alert(1)&gt; &amp; &quot;"
        f'<a href="https://a.example/x?y=1&amp;z=2" {attributes}>https://a.example/x?y=1&amp;z=2</a>&quot;'
        f' items[1] - 5 °C, 5 ** 2 <a href="https://www.b.example" {attributes}>www.b.example</a>'
    )


TAG = re.compile(r"<[a-z][a-z0-9]*\b(?:[^<>{]|\{\{.*?\}\}|\{%.*?%\})*>", re.DOTALL)
OF_A_TEXT = re.compile(r'lang="\{\{ [\w.]*language \}\}"|\{% if [\w.]*language == "zh" %\}lang=')


def test_every_text_whose_language_a_page_names_finds_its_own_direction() -> None:
    tags = [
        (path.name, tag)
        for path in sorted((ROOT / "templates").rglob("*.html"))
        for tag in TAG.findall(path.read_text(encoding="utf-8"))
        if OF_A_TEXT.search(tag)
    ]
    assert len(tags) > 15
    assert [(name, tag) for name, tag in tags if 'dir="auto"' not in tag] == []
