"""The audit log: what the chain holds of changes of people and settings, of keys, of deletions, and of sensitive reads.

Nothing is written for it. It reads four chained tables by their place in the chain, which no two rows share.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from heapq import merge
from itertools import islice
from typing import Any, cast

from django.db import models
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from helpdesk.users.noting import PeopleChange
from tracing.models import ChainedModel, DeletionReceipt, KeyEvent, KeyEventKind, RetentionChange, TraceAccess
from tracing.queries import midnight

PAGE = 50
COMMAND_LINE = "shell"

PEOPLE = [str(change) for change in PeopleChange]
API_KEYS = [KeyEventKind.API_KEY_CREATED, KeyEventKind.API_KEY_REVOKED]


class AuditKind(models.TextChoices):
    """What a person looks for in the log."""

    PEOPLE = "people", _("People")
    READS = "reads", _("Opened reports")
    API_KEYS = "api_keys", _("API keys")
    RETENTION = "retention", _("Retention and holds")
    DELETIONS = "deletions", _("Deletions")
    KEYS = "keys", _("Encryption keys and checkpoints")


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What is shown; empty values do not restrict. `person` is an account's id, or COMMAND_LINE; days are both included."""

    person: str = ""
    kind: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Rows of the chain, the newest first; `next_before` is where the next page begins."""

    rows: list[ChainedModel]
    next_before: int | None


def audit_page(wanted: AuditFilter, *, before: int | None = None, limit: int = PAGE) -> AuditPage:
    """The newest rows before that place in the chain of the tenant in scope."""
    found = [each.order_by("-sequence")[: limit + 1] for each in _sources(wanted, before)]
    rows = list(islice(merge(*found, key=lambda row: -row.sequence), limit + 1))
    return AuditPage(rows[:limit], rows[limit - 1].sequence if len(rows) > limit else None)


def kind_of(row: ChainedModel) -> AuditKind:
    """Under which kind the row is found."""
    if isinstance(row, TraceAccess):
        return AuditKind.READS
    if isinstance(row, RetentionChange):
        return AuditKind.RETENTION
    if isinstance(row, DeletionReceipt):
        return AuditKind.DELETIONS
    kind = cast(KeyEvent, row).kind
    return AuditKind.PEOPLE if kind in PEOPLE else AuditKind.API_KEYS if kind in API_KEYS else AuditKind.KEYS


def _sources(wanted: AuditFilter, before: int | None) -> Iterator[QuerySet[Any]]:
    place = Q(sequence__lt=before) if before is not None else Q(sequence__isnull=False)
    if wanted.since:
        place &= Q(at__gte=midnight(wanted.since))
    if wanted.until:
        place &= Q(at__lt=midnight(min(wanted.until, date.max - timedelta(days=3)) + timedelta(days=1)))
    events = {
        AuditKind.PEOPLE: Q(kind__in=PEOPLE),
        AuditKind.API_KEYS: Q(kind__in=API_KEYS),
        AuditKind.KEYS: ~Q(kind__in=[*PEOPLE, *API_KEYS]),
    }
    if not wanted.kind or wanted.kind in events:
        of_kind = events[AuditKind(wanted.kind)] if wanted.kind else Q()
        yield KeyEvent.objects.filter(place, of_kind, _by_events(wanted.person))
    if wanted.kind in ("", AuditKind.RETENTION):
        yield RetentionChange.objects.filter(place, _by_user(wanted.person))
    if wanted.kind in ("", AuditKind.READS):
        by = _by_user(wanted.person) & (Q(api_key=None) if wanted.person == COMMAND_LINE else Q())
        yield TraceAccess.objects.filter(place, by)
    if wanted.kind in ("", AuditKind.DELETIONS) and not wanted.person:
        yield DeletionReceipt.objects.filter(place)


def _by_user(person: str) -> Q:
    if not person:
        return Q()
    return Q(user=None) if person == COMMAND_LINE else Q(user_id=int(person))


def _by_events(person: str) -> Q:
    """Who did it, and whom it was done to."""
    if not person:
        return Q()
    if person == COMMAND_LINE:
        return Q(figures__user=None)
    return Q(figures__user=int(person)) | Q(figures__person=int(person))
