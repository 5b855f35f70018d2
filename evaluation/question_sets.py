"""What the evaluation commands share: question sets in SQuAD layout, throwaway tenants, and how answers are judged."""

from __future__ import annotations

import json
import re
import signal
import time
import unicodedata
import uuid
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TypeVar
from uuid import UUID

from conversations.models import Assistant, Conversation, Reply
from conversations.queries import IN_FLIGHT
from conversations.replies import stop_reply
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from knowledge.chunking.markdown import escape_markdown
from knowledge.domain import publish_article, save_article
from knowledge.text import detect_language
from tracing.models import Trace

POLL_SECONDS = 0.1
LAST_WORDS_SECONDS = 15.0

Item = TypeVar("Item")

_NO_LETTERS = re.compile(r"[\W_]+")


class BadQuestionSet(Exception):
    """The file is not in the layout that it should be in; the message says where it departs from it."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A text to be found. `article` numbers the article that it belongs to."""

    slug: str
    title: str
    text: str
    article: int


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the paragraph that answers it and the accepted answers."""

    text: str
    slug: str
    article: int
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """A whole file."""

    paragraphs: tuple[Paragraph, ...]
    questions: tuple[Question, ...]

    def half(self, number: int) -> QuestionSet:
        """The articles with even (0) or odd (1) numbers, and their questions."""
        return self._of(lambda article: article % 2 == number)

    def between(self, articles: slice) -> QuestionSet:
        """The articles with these numbers, from 0, and their questions."""
        count = max((paragraph.article for paragraph in self.paragraphs), default=-1) + 1
        kept = range(count)[articles]
        return self._of(lambda article: article in kept)

    def _of(self, keeps: Callable[[int], bool]) -> QuestionSet:
        return QuestionSet(
            tuple(paragraph for paragraph in self.paragraphs if keeps(paragraph.article)),
            tuple(question for question in self.questions if keeps(question.article)),
        )


def articles_between(text: str) -> slice:
    """The argument `FROM:TO` of a command: articles by number, from 0, without TO itself; either may be left out."""
    match = re.fullmatch(r"(\d*):(\d*)", text)
    if match is None:
        raise ArgumentTypeError("write FROM:TO, such as 12:24 for the 12 articles behind the first 12")
    first, last = match.groups()
    return slice(int(first) if first else None, int(last) if last else None)


def spread(items: Sequence[Item], limit: int) -> tuple[Item, ...]:
    """So many of the items, spread evenly; all of them when there are no more, or `limit` is 0."""
    if not 0 < limit < len(items):
        return tuple(items)
    step = len(items) / limit
    return tuple(items[int(i * step)] for i in range(limit))


def read_squad(path: Path, *, language: str, limit: int = 0, articles: slice | None = None) -> QuestionSet:
    """Read a SQuAD-layout file; a `limit` keeps so many questions, spread evenly, but all paragraphs of the `articles`.

    A title in another language than the paragraphs' is replaced by the paragraph's number: it would not stand over a
    real article. Raises BadQuestionSet.
    """
    try:
        found = _read_articles(json.loads(path.read_text(encoding="utf-8"))["data"], language)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise BadQuestionSet(f"{path} cannot be read as JSON: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise BadQuestionSet(f"{path} is not in SQuAD layout: {error!r}") from error
    if articles is not None:
        found = found.between(articles)
    if not found.questions:
        raise BadQuestionSet(f"{path} has no questions{' in these articles' if articles else ''}.")
    return QuestionSet(found.paragraphs, spread(found.questions, limit))


@contextmanager
def throwaway_tenant(name: str = "Evaluation", name_zh: str = "") -> Iterator[Tenant]:
    """A tenant with an assistant that is gone afterwards, however the block ends (Ctrl-C and TERM included)."""
    previous = signal.signal(signal.SIGTERM, _stop)
    tenant = Tenant(slug=f"evaluation-{uuid.uuid4().hex[:12]}", name=name[:120], name_zh=name_zh[:120])
    try:
        tenant.save()
        with tenant_atomic(tenant.id):
            Assistant.objects.create(name="Evaluation")
        yield tenant
    finally:
        impatient = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            remove_tenant(tenant)
        finally:
            signal.signal(signal.SIGINT, impatient)
            signal.signal(signal.SIGTERM, previous)


def remove_tenant(tenant: Tenant) -> None:
    """Delete the tenant with everything in it; replies in progress are ended first, so that no worker trips."""
    _end_replies(tenant.id)
    with tenant_atomic(tenant.id):
        # Traces restrict the removal of their conversations, and conversations that of their assistant.
        Trace.objects.all().delete()
        Conversation.objects.all().delete()
        tenant.delete()


def _end_replies(tenant_id: UUID) -> None:
    """End what is queued, stop what is being written, and wait for it."""
    with tenant_atomic(tenant_id):
        in_flight = list(Reply.objects.filter(status__in=IN_FLIGHT))
    for reply in in_flight:
        stop_reply(tenant_id=tenant_id, conversation_id=reply.conversation_id, reply_id=reply.id)
    deadline = time.monotonic() + LAST_WORDS_SECONDS
    while in_flight and time.monotonic() < deadline:
        with tenant_atomic(tenant_id):
            if not Reply.objects.filter(status__in=IN_FLIGHT).exists():
                return
        time.sleep(POLL_SECONDS)


def import_paragraphs(
    tenant_id: UUID, paragraphs: Sequence[Paragraph], *, language: str, enqueue: bool
) -> Iterator[UUID]:
    """Save and publish each paragraph as an article, as the import does; yields the versions' ids."""
    for paragraph in paragraphs:
        version = save_article(
            tenant_id=tenant_id,
            title=paragraph.title,
            body=escape_markdown(paragraph.text),
            language=language,
            slug=paragraph.slug,
        )
        publish_article(tenant_id=tenant_id, article_id=version.article_id, enqueue=enqueue)
        yield version.pk


def contains_answer(text: str, answers: Sequence[str]) -> bool:
    """Whether one of the answers stands in the text; case, width, blanks and punctuation do not count."""
    within = squeezed(text)
    return any(squeezed(answer) in within for answer in answers if squeezed(answer))


def squeezed(text: str) -> str:
    """Letters and digits only, in one case and width: how texts are compared."""
    return _NO_LETTERS.sub("", unicodedata.normalize("NFKC", text).casefold())


def _read_articles(articles: Sequence[dict[str, object]], language: str) -> QuestionSet:
    paragraphs: list[Paragraph] = []
    questions: list[Question] = []
    for number, article in enumerate(articles):
        given = str(article.get("title", "")).replace("_", " ").strip()
        for entry in article["paragraphs"]:  # type: ignore[attr-defined]
            position = len(paragraphs) + 1
            title = given if given and detect_language(given) == language else str(position)
            paragraphs.append(Paragraph(f"paragraph-{position}", title, entry["context"], number))
            questions += [
                Question(
                    text=item["question"],
                    slug=f"paragraph-{position}",
                    article=number,
                    answers=tuple(answer["text"] for answer in item["answers"]),
                )
                for item in entry["qas"]
            ]
    return QuestionSet(tuple(paragraphs), tuple(questions))


def _stop(signal_number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
