"""Cutting texts to a number of tokens at sentence ends. Pure: the caller passes the counting function."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from knowledge.sentences import split_sentences

CountTokens = Callable[[str], int]
Span = tuple[int, int]

ELLIPSIS = "…"


def keep_beginning(text: str, budget: int, count_tokens: CountTokens) -> tuple[str, int]:
    """The first whole sentences that fit, and how many tokens were cut."""
    total = count_tokens(text)
    if total <= budget:
        return text, 0
    end = 0
    for _, sentence_end in split_sentences(text):
        if count_tokens(text[:sentence_end]) > budget:
            break
        end = sentence_end
    kept = text[:end].strip()
    return kept, total - count_tokens(kept)


def keep_ends(text: str, budget: int, count_tokens: CountTokens) -> tuple[str, int]:
    """The first and the last sentences that fit, and how many tokens were cut between them.

    People say first what it is about and ask last. A text that one sentence fills is cut in its middle by characters.
    """
    total = count_tokens(text)
    if total <= budget:
        return text, 0
    sentences = [text[start:end].strip() for start, end in split_sentences(text)]
    head, tail = _outer(sentences, budget - count_tokens(ELLIPSIS), count_tokens)
    kept = " ".join([*head, ELLIPSIS, *tail]) if head else _outer_characters(text, budget, count_tokens)
    return kept, max(total - count_tokens(kept), 1)


def keep_sentences(
    text: str, sentences: Sequence[Span], focus: Sequence[Span], budget: int, count_tokens: CountTokens
) -> tuple[str, int]:
    """The sentences that the focus touches, always, then their neighbours outwards; and how many tokens were cut."""
    total = count_tokens(text)
    if total <= budget or not sentences:
        return text, 0
    pieces = [text[start:end].strip() for start, end in sentences]
    wanted = [index for index, span in enumerate(sentences) if _overlaps(span, focus)] or [0]
    chosen = set(wanted)
    used = sum(count_tokens(pieces[index]) for index in wanted)
    for index in sorted(range(len(pieces)), key=lambda i: min(abs(i - each) for each in wanted)):
        tokens = count_tokens(pieces[index])
        if index not in chosen and used + tokens <= budget:
            chosen.add(index)
            used += tokens
    return " ".join(pieces[index] for index in sorted(chosen)), total - used


def _outer(sentences: Sequence[str], budget: int, count_tokens: CountTokens) -> tuple[list[str], list[str]]:
    """Sentences from both ends in turn, the first one first, until the next does not fit; both lists in reading order."""
    head: list[str] = []
    tail: list[str] = []
    first, last = 0, len(sentences) - 1
    while first <= last:
        takes_first = len(head) <= len(tail)
        sentence = sentences[first if takes_first else last]
        budget -= count_tokens(sentence)
        if budget < 0:
            break
        if takes_first:
            head.append(sentence)
            first += 1
        else:
            tail.insert(0, sentence)
            last -= 1
    return head, tail


def _outer_characters(text: str, budget: int, count_tokens: CountTokens) -> str:
    """As many characters of both ends as fit, found by halving."""
    low, high = 0, len(text) // 2
    while low < high:
        middle = (low + high + 1) // 2
        if count_tokens(_without_middle(text, middle)) <= budget:
            low = middle
        else:
            high = middle - 1
    return _without_middle(text, low)


def _without_middle(text: str, each: int) -> str:
    return f"{text[:each]}{ELLIPSIS}{text[len(text) - each :]}"


def _overlaps(span: Span, others: Sequence[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)
