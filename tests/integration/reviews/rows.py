"""Answers that wait for review, made by the product's own functions."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from conversations.models import Outcome
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import User
from reviews import domain
from reviews.domain import Judgement
from reviews.models import RANKS, Review, ReviewItem, SampledFor
from tests.factories import make_user
from tests.integration.tracing.rows import make_trace
from tests.unit.tracing.samples import make_content, make_record
from tracing.models import Trace

GOOD = Judgement(verdict="good")
MISREAD = Judgement(verdict="wrong", cause="misread", correction="Three days.", note="Reads the wrong line.")
TONE = Judgement(verdict="wrong", cause="tone")


def make_answer(tenant: Tenant, outcome: Outcome = Outcome.ANSWERED, **content: Any) -> Trace:
    """An answer to a customer, with its trace; no small talk."""
    return make_trace(tenant, make_record(make_content(**({"kind": "direct"} | content)), outcome=outcome))


def make_item(tenant: Tenant, sampled_for: str = SampledFor.RANDOM, **fields: Any) -> ReviewItem:
    """An answer in the queue."""
    trace = make_answer(tenant)
    with tenant_atomic(tenant.id):
        item: ReviewItem = ReviewItem.objects.create(
            reply_id=trace.reply_id,
            sampled_for=sampled_for,
            rank=RANKS[sampled_for],
            answered_at=timezone.now(),
            **fields,
        )
        return item


def reviewer(tenant: Tenant) -> User:
    """Somebody who reviews."""
    return make_user(tenant, Role.REVIEWER)


def judge(tenant: Tenant, user: User, judgement: Judgement = GOOD) -> Review:
    """The person's next answer, with this verdict."""
    with tenant_atomic(tenant.id):
        item = domain.next_item(user)
        assert item is not None
        return domain.give_verdict(item.id, user=user, round_shown=item.round, judgement=judgement)


def now(tenant: Tenant, item: ReviewItem) -> ReviewItem:
    """The row as the database has it."""
    with tenant_atomic(tenant.id):
        found: ReviewItem = ReviewItem.objects.get(id=item.id)
        return found
