"""Settled reviews as examples, without personal data as far as it can be recognised. Runs inside `tenant_atomic`.

Left out: deleted conversations, and answers to customers who were erased.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from conversations.models import Author, Message, Visitor
from conversations.pre_chat.telling import FIELDS
from conversations.queries import history_before
from reviews.models import Cause, Review, ReviewItem, Verdict
from reviews.redacting import redacted

HISTORY = 6
CHUNK = 200


@dataclass(frozen=True, slots=True)
class Turn:
    """A message before the question: `user` or `assistant`, whoever of the company wrote it."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A cited passage as it was published. `article` is the article's id, `quote` what of it was quoted."""

    article: str
    title: str
    text: str
    quote: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One answer with what people settled on. `correction` is empty where nobody wrote one."""

    item_id: UUID
    reply_id: UUID
    language: str
    history: tuple[Turn, ...]
    question: str
    answer: str
    is_refusal: bool
    passages: tuple[Passage, ...]
    verdict: str
    cause: str
    correction: str
    reviewers: int

    @property
    def is_good(self) -> bool:
        """Whether it should have been given as it was."""
        return self.verdict == Verdict.GOOD


def settled() -> QuerySet[ReviewItem]:
    """What may leave the desk, the oldest first."""
    rows: QuerySet[ReviewItem] = ReviewItem.objects.filter(
        done_at__isnull=False,
        reply__conversation__deleted_at__isnull=True,
        reply__trace__key__destroyed_at__isnull=True,
    )
    return rows.order_by("done_at", "id")


def examples(*, limit: int) -> Iterator[Example]:
    """At most so many of them, the newest left out when there are more."""
    rows = settled().select_related("reply__question", "reply__answer", "reply__conversation__visitor")
    for item in rows.prefetch_related("reviews")[:limit].iterator(chunk_size=CHUNK):
        yield _example(item)


def _example(item: ReviewItem) -> Example:
    reply = item.reply
    question: Message = reply.question
    answer: Message = reply.answer  # type: ignore[assignment]
    passages = tuple(_passage(source) for source in answer.sources)
    published = "\n".join(passage.text for passage in passages)
    known = _known(reply.conversation.visitor)

    def clean(text: str) -> str:
        return redacted(text, known=known, published=published)

    return Example(
        item_id=item.id,
        reply_id=reply.id,
        language=question.language,
        history=tuple(_turn(message, clean(message.body)) for message in _before(question)),
        question=clean(question.body),
        answer=clean(answer.body),
        is_refusal=answer.outcome == "refused",
        passages=passages,
        verdict=item.verdict,
        cause=item.cause,
        correction=clean(_correction(item)),
        reviewers=len(item.reviews.all()),
    )


def _correction(item: ReviewItem) -> str:
    """That of the last review which said what holds in the end."""
    reviews: list[Review] = sorted(item.reviews.all(), key=lambda review: -review.round)
    agreeing = (review for review in reviews if (review.verdict, review.cause) == (item.verdict, item.cause))
    return next((review.correction for review in agreeing if review.correction), "")


def _before(question: Message) -> list[Message]:
    return [message for message in history_before(question, limit=HISTORY) if message.author != Author.SYSTEM]


def _turn(message: Message, text: str) -> Turn:
    return Turn("user" if message.author == Author.CUSTOMER else "assistant", text)


def _passage(source: dict[str, Any]) -> Passage:
    return Passage(
        article=source["article"], title=source["title"], text=source.get("passage") or source["quote"],
        quote=source["quote"], language=source["language"],
    )  # fmt: skip


def _known(visitor: Visitor) -> list[str]:
    told = [str(visitor.told.get(name, "")) for name in FIELDS]
    return [visitor.name, visitor.email, visitor.answer_email, visitor.subject, visitor.reference, *told]


# Where the passages were the right ones, so that an answer from them can be learnt. Elsewhere the fix is an article or the
# search, and an example would teach to say what the passages do not.
TEACHABLE = frozenset({str(Cause.MISREAD), str(Cause.TONE), str(Cause.SHOULD_REFUSE)})
