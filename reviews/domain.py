"""Reviewing one answer after another: who has which on their screen, and what they say of it. Runs inside `tenant_atomic`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from conversations.validation import clean_text, is_visible
from helpdesk.errors import InvalidInput, NotFound
from helpdesk.facts.kinds import FactKind, user_actor
from helpdesk.facts.recording import record
from helpdesk.permissions import Right
from helpdesk.users.acting import needs
from helpdesk.users.models import User
from reviews.errors import CauseMissing, ReviewedMeanwhile
from reviews.models import (
    CORRECTION_CHARACTERS,
    NOTE_CHARACTERS,
    RANK_OF_DISAGREEMENT,
    RANKS,
    Cause,
    Review,
    ReviewItem,
    Round,
    Skip,
    Verdict,
)

# Longer than anybody thinks about one answer; a page that was left is somebody else's after it.
LEASE = timedelta(minutes=15)
TAKEN_BACK_WITHIN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a reviewer sends, as it came from the form."""

    verdict: str
    cause: str = ""
    correction: str = ""
    note: str = ""


def waiting_for(user: User, *, now: datetime | None = None) -> QuerySet[ReviewItem]:
    """What this person could review now: not theirs before, not passed over, on nobody else's screen."""
    now = now or timezone.now()
    own = Review.objects.filter(item=OuterRef("pk"), user=user)
    passed = Skip.objects.filter(item=OuterRef("pk"), user=user)
    is_free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now) | Q(claimed_by=user)
    rows: QuerySet[ReviewItem] = ReviewItem.objects.filter(
        is_free, ~Exists(own), ~Exists(passed), done_at__isnull=True, reply__conversation__deleted_at__isnull=True
    )
    return rows


@needs(Right.REVIEW_ANSWERS)
def next_item(user: User, *, sampled_for: str = "") -> ReviewItem | None:
    """Put an answer before this person for a while: the one that they had already, else the first that is free."""
    now = timezone.now()
    rows = waiting_for(user, now=now).select_for_update(skip_locked=True, of=("self",))
    if sampled_for:
        rows = rows.filter(sampled_for=sampled_for)
    own: ReviewItem | None = rows.filter(claimed_by=user, claimed_until__gt=now).first()
    if own is not None:
        return own
    # One at a time: what they left in another queue is free again.
    _release(user)
    item: ReviewItem | None = rows.order_by("rank", "answered_at", "id").first()
    if item is not None:
        _claim(item, user, now)
    return item


@needs(Right.REVIEW_ANSWERS)
def give_verdict(item_id: UUID, *, user: User, round_shown: int, judgement: Judgement) -> Review:
    """Keep what the person says of the answer, and send it where it goes next.

    `round_shown` is what their page was drawn for: nobody settles a disagreement that they have not seen.
    Raises NotFound, InvalidInput, CauseMissing, or ReviewedMeanwhile, which changes nothing.
    """
    cleaned = _cleaned(judgement)
    item = _locked(item_id)
    now = timezone.now()
    is_anothers = item.claimed_by_id not in (None, user.pk) and item.claimed_until is not None
    if is_anothers and item.claimed_until > now:  # type: ignore[operator]
        raise ReviewedMeanwhile
    is_unseen = (item.round == Round.THIRD) != (round_shown == Round.THIRD)
    if item.done_at or is_unseen or item.reviews.filter(user=user).exists():
        raise ReviewedMeanwhile
    review: Review = Review.objects.create(
        item=item, user=user, round=item.round, seconds=_seconds(item, user, now), created_at=now,
        verdict=cleaned.verdict, cause=cleaned.cause, correction=cleaned.correction, note=cleaned.note,
    )  # fmt: skip
    _send_on(item, now)
    record(
        FactKind.REVIEW_GIVEN, subject_id=item.id, actor=user_actor(user),
        reply_id=item.reply_id, round=review.round, verdict=review.verdict, cause=review.cause,
    )  # fmt: skip
    return review


@needs(Right.REVIEW_ANSWERS)
def skip_item(item_id: UUID, *, user: User) -> None:
    """Leave the answer to others. Raises NotFound."""
    item = _locked(item_id)
    Skip.objects.get_or_create(item=item, user=user)
    if item.claimed_by_id == user.pk:
        _free(item)


@needs(Right.REVIEW_ANSWERS)
def take_back(item_id: UUID, *, user: User) -> ReviewItem:
    """Undo the person's own review, as long as nobody has built on it, and put the answer before them again.

    Raises NotFound, or ReviewedMeanwhile.
    """
    item = _locked(item_id)
    now = timezone.now()
    newest: Review | None = item.reviews.order_by("-round").first()
    if newest is None or newest.user_id != user.pk or newest.created_at < now - TAKEN_BACK_WITHIN:
        raise ReviewedMeanwhile
    if item.claimed_by_id not in (None, user.pk) and item.claimed_until and item.claimed_until > now:
        raise ReviewedMeanwhile
    newest.delete()
    rank = RANK_OF_DISAGREEMENT if newest.round == Round.THIRD else RANKS[item.sampled_for]
    ReviewItem.objects.filter(id=item.id).update(round=newest.round, rank=rank, done_at=None, verdict="", cause="")
    item.refresh_from_db()
    _release(user)
    _claim(item, user, now)
    record(
        FactKind.REVIEW_TAKEN_BACK, subject_id=item.id, actor=user_actor(user),
        reply_id=item.reply_id, round=newest.round,
    )  # fmt: skip
    return item


def last_review(user: User) -> Review | None:
    """The person's newest review, while they may still take it back."""
    since = timezone.now() - TAKEN_BACK_WITHIN
    rows = Review.objects.filter(user=user, created_at__gte=since).select_related("item")
    review: Review | None = rows.order_by("-created_at").first()
    return review


def _cleaned(judgement: Judgement) -> Judgement:
    if judgement.verdict not in Verdict.values:
        raise InvalidInput(_("Choose whether the answer is good or wrong."))
    note = _text(judgement.note, NOTE_CHARACTERS)
    if judgement.verdict == Verdict.GOOD:
        return Judgement(verdict=Verdict.GOOD, note=note)
    if judgement.cause not in Cause.values:
        raise CauseMissing
    correction = _text(judgement.correction, CORRECTION_CHARACTERS)
    return Judgement(verdict=Verdict.WRONG, cause=judgement.cause, correction=correction, note=note)


def _text(raw: str, limit: int) -> str:
    text = clean_text(raw)
    if len(text) > limit:
        raise InvalidInput(_("This can have up to %(limit)d characters. Shorten it.") % {"limit": limit})
    return text if is_visible(text) else ""


def _locked(item_id: UUID) -> ReviewItem:
    rows = ReviewItem.objects.filter(id=item_id, reply__conversation__deleted_at__isnull=True)
    # The conversation's lock as well: a deletion that empties its words must not miss what is written here meanwhile.
    rows = rows.select_related("reply__conversation").select_for_update(no_key=True, of=("self", "reply__conversation"))
    item: ReviewItem | None = rows.first()
    if item is None:
        raise NotFound
    return item


def _send_on(item: ReviewItem, now: datetime) -> None:
    """To a second person, to a third who settles it, or out of the queue."""
    given = list(item.reviews.order_by("round"))
    last = given[-1]
    if last.round == Round.FIRST and item.needs_second:
        changes: dict[str, object] = {"round": Round.SECOND}
    elif last.round == Round.SECOND and (last.verdict, last.cause) != (given[0].verdict, given[0].cause):
        changes = {"round": Round.THIRD, "rank": RANK_OF_DISAGREEMENT}
    else:
        changes = {"done_at": now, "verdict": last.verdict, "cause": last.cause}
    ReviewItem.objects.filter(id=item.id).update(claimed_by=None, claimed_until=None, **changes)


def _claim(item: ReviewItem, user: User, now: datetime) -> None:
    item.claimed_by, item.claimed_until = user, now + LEASE
    item.save(update_fields=["claimed_by", "claimed_until"])


def _free(item: ReviewItem) -> None:
    item.claimed_by, item.claimed_until = None, None
    item.save(update_fields=["claimed_by", "claimed_until"])


def _release(user: User) -> None:
    """What the person had on their screen is free for others."""
    ReviewItem.objects.filter(claimed_by=user, done_at__isnull=True).update(claimed_by=None, claimed_until=None)


def _seconds(item: ReviewItem, user: User, now: datetime) -> int | None:
    """How long the answer was on their screen; None when the lease had ended."""
    if item.claimed_by_id != user.pk or item.claimed_until is None or item.claimed_until <= now:
        return None
    return max(0, int((now - (item.claimed_until - LEASE)).total_seconds()))
