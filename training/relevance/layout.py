"""`python -m training.relevance.layout FILE…`: writes help centres anew, a sentence and a question on a line each."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def laid_out(centre: dict[str, Any]) -> str:
    """The text of a help centre's file, in which a change of one question is a change of one line."""
    names = {name: value for name, value in centre.items() if name not in {"articles", "questions"}}
    lines = ["{", *(f" {_json(name)}: {_json(value)}," for name, value in names.items()), ' "articles": [']
    lines += _separated([_article(article) for article in centre["articles"]])
    lines += [" ],", ' "questions": [', *_separated([[f"  {_json(question)}"] for question in centre["questions"]])]
    return "\n".join([*lines, " ]", "}"]) + "\n"


def _article(article: dict[str, Any]) -> list[str]:
    names = "".join(f"{_json(name)}: {_json(value)}, " for name, value in article.items() if name != "sections")
    return [f'  {{{names}"sections": [', *_separated([_section(section) for section in article["sections"]]), "  ]}"]


def _section(section: dict[str, Any]) -> list[str]:
    sentences = _separated([[f"    {_json(sentence)}"] for sentence in section["sentences"]])
    return [f'   {{"heading": {_json(section.get("heading", ""))}, "sentences": [', *sentences, "   ]}"]


def _separated(blocks: Sequence[Sequence[str]]) -> list[str]:
    """All lines, with a comma behind each block but the last."""
    return [
        line + ("," if place == len(block) - 1 and number < len(blocks) - 1 else "")
        for number, block in enumerate(blocks)
        for place, line in enumerate(block)
    ]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(laid_out(json.loads(path.read_text(encoding="utf-8"))), encoding="utf-8")
