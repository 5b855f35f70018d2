"""Every sentence that people see has its Chinese."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.utils import translation
from django.utils.text import normalize_newlines
from django.utils.translation import trim_whitespace

ROOT = Path(__file__).resolve().parents[2]
CODE = ["batches", "conversations", "evaluation", "helpdesk", "inference_worker", "knowledge", "openai_api", "tracing"]
FUNCTIONS = {
    "_": 0,
    "gettext": 0,
    "gettext_lazy": 0,
    "ngettext": 0,
    "ngettext_lazy": 0,
    "pgettext": 1,
    "pgettext_lazy": 1,
}
TRANSLATE = re.compile(r"{%-?\s*translate\s+(?:\"([^\"]*)\"|'([^']*)')|_\(\"([^\"]*)\"\)")
BLOCK = re.compile(r"{%\s*blocktranslate([^%]*)%}(.*?)(?:{%\s*plural\s*%}.*?)?{%\s*endblocktranslate\s*%}", re.DOTALL)


def in_code(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
            place = FUNCTIONS[node.func.id]
            argument = node.args[place] if len(node.args) > place else None
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value


def in_template(source: str) -> Iterator[str]:
    for found in TRANSLATE.finditer(source):
        yield next(text for text in found.groups() if text is not None).replace("%", "%%")
    for options, text in BLOCK.findall(source):
        message = re.sub(r"{{\s*(\w+)\s*}}", r"%(\1)s", text.replace("%", "%%"))
        yield trim_whitespace(message) if "trimmed" in options else normalize_newlines(message)


def sentences() -> Iterator[tuple[str, str]]:
    for folder in CODE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield from ((str(path.relative_to(ROOT)), text) for text in in_code(path.read_text(encoding="utf-8")))
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.suffix in {".html", ".txt"}:
            yield from ((str(path.relative_to(ROOT)), text) for text in in_template(path.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def chinese() -> dict[str, bool]:
    with open(ROOT / "locale/zh_Hans/LC_MESSAGES/django.po", "rb") as stream:
        catalogue = read_po(stream)
    known = {}
    for message in catalogue:
        single = message.id[0] if isinstance(message.id, tuple) else message.id
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        known[single] = all(texts) and not message.fuzzy
    return known


def test_every_sentence_of_code_and_templates_is_translated(chinese: dict[str, bool]) -> None:
    with translation.override("zh-hans"):
        missing = [
            f"{place}: {text}"
            for place, text in sentences()
            # Django and allauth bring some of their own.
            if text and not chinese.get(text) and translation.gettext(text) == text
        ]
    assert missing == []
