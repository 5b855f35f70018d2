"""Which of the generated tokens make up the answer: all of them, unless sentences were cut on their way. Pure functions.

Everything that speaks of the answer's characters and of tokens together (causes, the report, log-probabilities in an API)
asks here; nothing else may take the tokens' joined texts for the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tracing.content import TokenRecord, TraceContent


def shown_places(content: TraceContent) -> list[int | None]:
    """Of each token where it begins in the answer; None for one that was not shown.

    Without cuts the tokens around the answer count as well, blanks before it and what ended it: their places lie outside.
    One that begins in what was cut and reaches into the answer begins there with its first character that was shown.
    """
    places = _answer_places(content)
    starts, position = [], 0
    for token in content.tokens:
        starts.append(position)
        position += len(token.text)
    if places is None:
        text = "".join(token.text for token in content.tokens)
        shift = len(text) - len(text.lstrip())
        return [start - shift for start in starts]
    in_answer = {place: at for at, place in enumerate(places)}
    return [_place(token.text, start, in_answer) for start, token in zip(starts, content.tokens, strict=True)]


def written_part(content: TraceContent) -> str:
    """The answer without what the desk put behind the engine's words."""
    places = _answer_places(content)
    if places is not None:
        return content.answer[: len(places)]
    written = "".join(token.text for token in content.tokens).strip()
    return written if written and content.answer.startswith(written) else content.answer


def _place(token: str, start: int, in_answer: Mapping[int, int]) -> int | None:
    """Where the token begins in the answer, else its first character in it that is no blank."""
    if start in in_answer:
        return in_answer[start]
    inside = (in_answer.get(start + at) for at, character in enumerate(token) if not character.isspace())
    return next((at for at in inside if at is not None), None)


def shown_tokens(content: TraceContent) -> list[TokenRecord]:
    """The tokens that make up the answer; their texts joined are the answer, but for blanks around it.

    Of a token that was shown in part, the text is that part; its probability is the whole one's.
    """
    places = _answer_places(content)
    if places is None:
        return _within(content.tokens, content.answer)
    shown, kept, position = set(places), [], 0
    for token in content.tokens:
        inside = [place in shown for place in range(position, position + len(token.text))]
        part = "".join(character for character, is_in in zip(token.text, inside, strict=True) if is_in)
        if part or (not token.text and position in shown):
            kept.append(token if part == token.text else replace(token, text=part))
        position += len(token.text)
    return kept


def _answer_places(content: TraceContent) -> list[int] | None:
    """The offset in the generated text of each character of the answer that was; None when nothing was cut out of it."""
    checking = content.checking
    if checking is None or checking.is_replaced or not any(each.reason for each in checking.sentences):
        return None
    return checking.places_of(content.answer)


def _within(tokens: Sequence[TokenRecord], answer: str) -> list[TokenRecord]:
    """The tokens up to the answer's end; those behind it ended it."""
    written = "".join(token.text for token in tokens)
    end = len(written) - len(written.lstrip()) + len(answer)
    kept, length = [], 0
    for token in tokens:
        if length >= end:
            break
        kept.append(token)
        length += len(token.text)
    return kept
