"""Searching conversations: by what was said in them, by the customer, by their labels. Runs inside `tenant_atomic`.

A word is looked for from its beginning, so that "refund" finds "refunded"; Chinese is cut into pairs of characters, as in the
search of articles. PostgreSQL's own text search is used without its parser, which knows no Chinese.
"""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from conversations.models import Label, Labelling, Visitor
from helpdesk.tenants.scope import current_tenant_id
from knowledge.folding import folded
from knowledge.text import search_terms

# Longer ones are cut: nobody looks for the fortieth letter of a word.
TERM_CHARACTERS = 40
MOST_TERMS = 12
MOST_CHARACTERS = 200
MOST_VISITORS = 100
_VISITOR_CODE = re.compile(r"[0-9a-f]{4}")
_NOTE_WORDS = """
    INSERT INTO conversations_conversationtext AS known (id, tenant_id, conversation_id, words)
    VALUES (gen_random_uuid(), %s, %s, array_to_tsvector(%s::text[]))
    ON CONFLICT (conversation_id) DO UPDATE SET words = known.words || excluded.words
"""


def terms_of(text: str) -> list[str]:
    """What a message is found by, each once."""
    return sorted({term[:TERM_CHARACTERS] for term in search_terms(text)})


def note_words(conversation_id: UUID, body: str) -> None:
    """Let the conversation be found by these words too. Runs under its lock."""
    if terms := terms_of(body):
        with connection.cursor() as cursor:
            cursor.execute(_NOTE_WORDS, [current_tenant_id(), conversation_id, terms])


def matching(text: str) -> Q | None:
    """Conversations that match what somebody typed; None when it says nothing to look for. Two queries at most."""
    wanted = text[:MOST_CHARACTERS].strip()
    terms = terms_of(wanted)[:MOST_TERMS]
    if not terms:
        return None
    said = Q(text__words=_query(terms))
    # Alternatives cost the index of words its use, so that only those stand in the condition that can be met.
    labels = list(Label.objects.filter(name__icontains=wanted).values_list("id", flat=True))
    if labels:
        said |= Q(Exists(Labelling.objects.filter(conversation=OuterRef("id"), label__in=labels)))
    if visitors := list(_visitors(wanted)):
        said |= Q(visitor__in=visitors)
    return said


def _visitors(wanted: str) -> QuerySet[Visitor]:
    """By the reference that other software has for them, or by the four characters of their name."""
    code = folded(wanted).lower().removeprefix("visitor").removeprefix("访客").strip()
    known = Q(reference=wanted)
    if _VISITOR_CODE.fullmatch(code):
        known |= Q(id__gte=UUID(code.ljust(32, "0")), id__lte=UUID(code.ljust(32, "f")))
    visitors: QuerySet[Visitor] = Visitor.objects.filter(known)
    return visitors[:MOST_VISITORS]


class _AsIs(SearchQuery):
    """A query in PostgreSQL's own notation that no parser of words looks at."""

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **kwargs: Any) -> tuple[str, Any]:
        return super().as_sql(compiler, connection, template="(%(expressions)s)::tsquery")


def _query(terms: list[str]) -> SearchQuery:
    """All of the terms, each from its beginning. Quoted, so that nothing in them is an operator."""
    quoted = ("'" + term.replace("\\", "").replace("'", "''") + "':*" for term in terms)
    return _AsIs(" & ".join(quoted))
