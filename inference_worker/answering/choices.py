"""Asking back which of several things is meant, and understanding the answer to that. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from conversations.models import AnswerKind, Author, Message
from inference_worker.answering.results import Clarify, Found
from knowledge.chunking.chunks import HEADING_SEPARATOR
from knowledge.folding import folded
from knowledge.quoting.quantities import asked_kind, kinds_in
from knowledge.quoting.scoring import ScoredSentence, score_sentences
from knowledge.quoting.selection import whole_quote
from knowledge.search.retrieval import Candidate
from knowledge.search.terms import is_stem, without_function_words, words
from knowledge.text import is_cjk

# A message with more content than this says what it is about.
MOST_WORDS, MOST_CHARACTERS = 3, 6
MOST_CHOICES = 3
# How near the best sentences of two passages must lie for neither to be the likelier one.
CLOSE = 0.03
# ... and of sentences that a reranker read, by so little of its log-odds.
CLOSE_RERANKED = 0.7

_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_FUNCTION_WORDS = words("""
    a an the i you we they it he she this that these those my your our me us is are was were be do does did can could will
    would should may to in for from with by on at of and or how what when where why which who much many long please tell about get
    cost costs price prices have has there hi hello hey any some s info information question need want like know if so its
    it's what's
""")
_PLACES = (
    r"(?:the |number |no |nr |option )*(?:1|1st|first)(?: (?:one|option|thing))?(?: please)?|第?一个?|第1个|前者",
    r"(?:the |number |no |nr |option )*(?:2|2nd|second)(?: (?:one|option|thing))?(?: please)?|第?二个?|第2个",
    r"(?:the |number |no |nr |option )*(?:3|3rd|third)(?: (?:one|option|thing))?(?: please)?|第?三个?|第3个",
)
_ORDINALS = tuple(re.compile(pattern) for pattern in _PLACES)
_LAST = re.compile(r"(?:the )?(?:last|latter)(?: (?:one|option))?(?: please)?|最后一?个?|后者")
_ASKING = {"en": ("Do you mean: %s?", ", or "), "zh": ("您想问的是：%s？", "，还是")}


def clarification(question: str, found: Found) -> Clarify | None:
    """The question back, when a short message fits passages about different things equally well; else None."""
    language = found.result.language
    asked = content_words(question)
    is_short = len(asked) <= (MOST_CHARACTERS if language == "zh" else MOST_WORDS)
    if not is_short or found.parts or not found.selection.quotes or found.selection.is_other_language:
        return None
    near = _near_ones(found, question)
    if not found.selection.answerable and (asked or asked_kind(question) is None):
        return None
    labels = _labels([each.candidate for each in near], are_siblings=bool(asked))
    if len(near) < 2 or len(labels) != len(near) or any(_is_named(question, label, labels) for label in labels):
        return None
    if (asked and not _names_all(question, labels)) or _tells_apart(question, [each.candidate for each in near]):
        return None
    sentence, between = _ASKING[language]
    labels = [label.rstrip("?？!！.。 ") for label in labels]
    return Clarify(
        text=sentence % (between.join(labels) if len(labels) == 2 else _listed(labels, between)),
        quotes=tuple(whole_quote(each.candidate, each.sentence, score=each.score) for each in near),
    )


def choice_made(answer: str, history: Sequence[Message]) -> str | None:
    """The label that the answer to our question back chooses, by its name or its place; None when it does neither."""
    before = history[-1] if history else None
    if before is None or before.author != Author.AI or before.kind != AnswerKind.CLARIFYING or len(answer) > 200:
        return None
    labels = _chosen_from(before)
    plain = " ".join(_WORD.findall(folded(answer).casefold()))
    for place, pattern in enumerate(_ORDINALS[: len(labels)]):
        if pattern.fullmatch(plain):
            return labels[place]
    if labels and _LAST.fullmatch(plain):
        return labels[-1]
    named = [label for label in labels if _is_named(answer, label, labels)]
    return named[0] if len(named) == 1 else None


def content_words(question: str) -> list[str]:
    """What of the question says what it is about: words, or the single characters of a Chinese one."""
    plain = folded(question).casefold()
    if any(is_cjk(each) for each in plain):
        return [each for each in without_function_words(plain) if each.isalnum() and each not in "钱请问一下呀"]
    return [word for word in _WORD.findall(plain) if word not in _FUNCTION_WORDS]


def _near_ones(found: Found, question: str) -> list[ScoredSentence]:
    """The best sentence of each passage that is about as good as the best of all, of as many articles or sections."""
    kind = asked_kind(question)
    best: dict[tuple[object, str], ScoredSentence] = {}
    scored = score_sentences(found.result, found.result.own_language)
    for each in scored:
        if kind is None or kind in kinds_in(each.text):
            best.setdefault((each.candidate.article_id, each.candidate.heading), each)
    ranked = list(best.values())
    near = [each for each in ranked if _is_close(ranked[0], each)]
    return near[:MOST_CHOICES] if scored and near and _is_close(scored[0], near[0]) else []


def _is_close(first: ScoredSentence, other: ScoredSentence) -> bool:
    """Whether the first leads by next to nothing; scores of a sentence that was read and of one that was not do not compare."""
    if (first.reranked is None) is not (other.reranked is None):
        return False
    return first.score - other.score <= (CLOSE if first.reranked is None else CLOSE_RERANKED)


def _labels(candidates: Sequence[Candidate], *, are_siblings: bool) -> list[str]:
    """What tells the passages apart: their titles, or within one article their headings; none when nothing does.

    Who names a subject can only mean siblings, which have a word in common ("Standard delivery", "Delivery abroad"): what else
    lies near are parts of the subject ("Return by post", "When you get your money").
    """
    titles = list(dict.fromkeys(each.title for each in candidates))
    if len(titles) == len(candidates):
        labels = titles
    else:
        labels = list(dict.fromkeys(_own_heading(each) for each in candidates))
    if are_siblings and not (labels and set.intersection(*(_words_of(label) for label in labels))):
        return []
    return labels if all(_own_words(label, labels) for label in labels) else []


def _names_all(question: str, labels: Sequence[str]) -> bool:
    """Whether what the labels have in common is what the question is about."""
    shared = set.intersection(*(_words_of(label) for label in labels))
    return any(_is_said(word, question) for word in shared)


def _tells_apart(question: str, candidates: Sequence[Candidate]) -> bool:
    """Whether a word of the question stands in some of the passages only: then it says which one is meant."""
    texts = [f"{each.headline} {each.text}" for each in candidates]
    return any(len({_is_said(word, text) for text in texts}) > 1 for word in _words_of(question))


def _is_said(word: str, text: str) -> bool:
    """Whether the text holds the word in any form, or the pair of characters."""
    plain = folded(text).casefold()
    if not word.isascii():
        return word in plain
    stem = word[: max(len(word) - 2, 4)]
    return re.search(rf"(?<![a-z0-9]){re.escape(stem)}", plain) is not None


def _own_heading(candidate: Candidate) -> str:
    return candidate.heading.rsplit(HEADING_SEPARATOR, 1)[-1] or candidate.title


def _own_words(label: str, labels: Sequence[str]) -> set[str]:
    """The words (Chinese: pairs of characters) of a label that no other one has."""
    return _words_of(label).difference(*(_words_of(other) for other in labels if other != label))


def _words_of(text: str) -> set[str]:
    plain = folded(text).casefold()
    latin = {word for word in _WORD.findall(plain) if word.isascii() and word not in _FUNCTION_WORDS}
    chinese = re.findall("[\u3400-\u9fff]+", plain)
    return latin | {run[at : at + 2] for run in chinese for at in range(max(len(run) - 1, 1))}


def _is_named(message: str, label: str, labels: Sequence[str]) -> bool:
    """Whether the message says a word that only this label has."""
    said = _words_of(message)
    return any(
        own in said or any(is_stem(own[:-1], word) for word in said if own.isascii() and len(own) > 4)
        for own in _own_words(label, labels)
    )


def _listed(labels: Sequence[str], between: str) -> str:
    comma = "，" if between.startswith("，") else ", "
    return between.join((comma.join(labels[:-1]), labels[-1]))


def _chosen_from(message: Message) -> list[str]:
    """The labels as the question back named them: its sources' titles, or headings where the titles are the same."""
    titles = [source["title"] for source in message.sources]
    if len(set(titles)) == len(titles):
        return titles
    return [source["heading"].rsplit(HEADING_SEPARATOR, 1)[-1] or source["title"] for source in message.sources]
