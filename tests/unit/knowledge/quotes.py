"""What an article in Markdown can be quoted with."""

from __future__ import annotations

from knowledge.chunking.chunks import compared_text, split_article
from knowledge.chunking.markdown import plain_blocks


def shown(source: str) -> str:
    """The blocks' texts with their markers, each on a line of its own."""
    return "\n".join(block.marker + block.text for block in plain_blocks(source))


def quotes(source: str) -> list[str]:
    """Everything that may be quoted, in reading order, each once."""
    found = [
        passage.text[slice(*sentence.quoted)] for passage in split_article(source) for sentence in passage.sentences
    ]
    return list(dict.fromkeys(found))


def compared(source: str) -> list[str]:
    """What questions are compared with, in reading order."""
    return [
        compared_text(passage.text, sentence) for passage in split_article(source) for sentence in passage.sentences
    ]
