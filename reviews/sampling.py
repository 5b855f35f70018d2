"""Choosing answers for review by the company's rules: again and again, each answer once.

What was committed late is found by looking a little further back than needed; one row for each reply makes that harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from conversations.models import Channel, HandOff, Outcome, Reply, ReplyPurpose, ReplyStatus, claims_confidence
from helpdesk.facts.kinds import FactKind
from helpdesk.facts.models import Fact
from helpdesk.tenants.scope import tenant_atomic
from reviews.models import RANKS, ReviewItem, ReviewRules, Round, SampledFor
from tracing.models import ConfidenceBand, Trace

logger = structlog.get_logger(__name__)

LOOK_BACK = timedelta(minutes=10)
FIRST_LOOK_BACK = timedelta(days=7)
# At most so much time in one transaction, so that a company that was away for a year is caught up with in steps.
MOST_AT_ONCE = timedelta(days=1)
CHUNK = 1000
# Where customers are answered; jobs and the shell ask for others.
REVIEWED = (Channel.WIDGET, Channel.API)
PER_CENT = 100


def has_sampling() -> bool:
    """Whether the tenant in scope has answers chosen at all."""
    return bool(ReviewRules.objects.filter(is_on=True).exists())


def sample(tenant_id: UUID, *, now: datetime | None = None) -> int:
    """Choose among what happened since the last look; returns how many answers are new in the queue."""
    now, new = now or timezone.now(), 0
    while True:
        with tenant_atomic(tenant_id):
            rules: ReviewRules | None = ReviewRules.objects.select_for_update().filter(is_on=True).first()
            if rules is None:
                return new
            since = rules.sampled_until or now - FIRST_LOOK_BACK
            until = min(now, since + MOST_AT_ONCE)
            new += _sample(rules, since - LOOK_BACK, until)
            ReviewRules.objects.filter(id=rules.id).update(sampled_until=until)
        if until >= now:
            if new:
                logger.info("answers_sampled", tenant_id=str(tenant_id), count=new)
            return new


def falls_in(reply_id: UUID, percent: int, *, purpose: int = 0) -> bool:
    """Whether an answer belongs to a random share: by its id, which is random, so that every look gives the same answer.

    `purpose` numbers independent shares: which answers are chosen says nothing about which of them are reviewed twice.
    """
    return (reply_id.int >> (purpose * 20)) % (PER_CENT * 100) < percent * 100


def _sample(rules: ReviewRules, since: datetime, until: datetime) -> int:
    new = 0
    for reason, reply_ids in _chosen(rules, since, until):
        found = list(dict.fromkeys(reply_ids))
        for start in range(0, len(found), CHUNK):
            new += _add(rules, reason, found[start : start + CHUNK])
    return new


def _chosen(rules: ReviewRules, since: datetime, until: datetime) -> Iterator[tuple[SampledFor, Iterable[UUID]]]:
    if rules.on_thumbs_down:
        yield SampledFor.THUMBS_DOWN, _rated_down(since, until)
    if rules.on_hand_off:
        yield SampledFor.HAND_OFF, _handed_over(since, until)
    weak, some = _by_their_traces(rules, since, until)
    yield SampledFor.LOW_CONFIDENCE, weak
    if rules.label_id:
        yield SampledFor.LABEL, _labelled(rules.label_id, since, until)
    yield SampledFor.RANDOM, some


def _by_their_traces(rules: ReviewRules, since: datetime, until: datetime) -> tuple[list[UUID], list[UUID]]:
    """Replies with low confidence, and those of the random share; small talk has no kind and is left out."""
    weak: list[UUID] = []
    some: list[UUID] = []
    rows = Trace.objects.filter(purpose=ReplyPurpose.ANSWER, created_at__gte=since, created_at__lt=until)
    rows = rows.exclude(kind="").exclude(outcome=Outcome.STOPPED).order_by("created_at")
    for reply_id, band, outcome, kind in rows.values_list("reply_id", "confidence_band", "outcome", "kind").iterator():
        if rules.on_low_confidence and band == ConfidenceBand.LOW and claims_confidence(outcome, kind):
            weak.append(reply_id)
        elif falls_in(reply_id, rules.random_percent):
            some.append(reply_id)
    return weak, some


def _rated_down(since: datetime, until: datetime) -> list[UUID]:
    given = Fact.objects.filter(kind=FactKind.FEEDBACK_GIVEN, at__gte=since, at__lt=until, data__rating="down")
    return [UUID(reply_id) for reply_id in given.values_list("data__reply_id", flat=True)]


def _handed_over(since: datetime, until: datetime) -> list[UUID]:
    """The answer that each hand-off is about, else the last one before it."""
    earlier = Reply.objects.filter(
        conversation_id=OuterRef("conversation_id"),
        purpose=ReplyPurpose.ANSWER,
        status=ReplyStatus.DONE,
        answer__isnull=False,
        finished_at__lte=OuterRef("began_at"),
    ).order_by("-finished_at")
    rows = HandOff.objects.filter(began_at__gte=since, began_at__lt=until).annotate(
        last=Subquery(earlier.values("id")[:1])
    )
    return [reply or last for reply, last in rows.values_list("reply_id", "last") if reply or last]


def _labelled(label_id: UUID, since: datetime, until: datetime) -> list[UUID]:
    """The last answer of each conversation that was given the label meanwhile."""
    facts = Fact.objects.filter(kind=FactKind.LABELLED, subject_id=label_id, at__gte=since, at__lt=until)
    wanted = list(facts.values_list("conversation_id", flat=True))
    replies = Reply.objects.filter(conversation_id__in=wanted, purpose=ReplyPurpose.ANSWER, answer__isnull=False)
    newest = replies.order_by("conversation_id", "-finished_at").distinct("conversation_id")
    return list(newest.values_list("id", flat=True))


def _add(rules: ReviewRules, reason: SampledFor, reply_ids: Iterable[UUID]) -> int:
    """Put those that can be reviewed into the queue; one that waits there for a weaker reason moves up."""
    usable = Reply.objects.filter(
        id__in=list(reply_ids),
        purpose=ReplyPurpose.ANSWER,
        answer__isnull=False,
        conversation__deleted_at__isnull=True,
        conversation__channel__in=REVIEWED,
    )
    rows = list(usable.values_list("id", "finished_at", "queued_at"))
    known = set(ReviewItem.objects.filter(reply_id__in=[row[0] for row in rows]).values_list("reply_id", flat=True))
    rank = RANKS[reason]
    items = [
        ReviewItem(
            reply_id=reply_id,
            sampled_for=reason,
            rank=rank,
            needs_second=falls_in(reply_id, rules.second_percent, purpose=1),
            answered_at=finished_at or queued_at,
        )
        for reply_id, finished_at, queued_at in rows
        if reply_id not in known
    ]
    ReviewItem.objects.bulk_create(items, ignore_conflicts=True)
    waiting = ReviewItem.objects.filter(reply_id__in=known, round=Round.FIRST, done_at__isnull=True, rank__gt=rank)
    waiting.update(sampled_for=reason, rank=rank)
    return len(items)
