"""The company's rules for choosing answers. Runs inside `tenant_atomic`."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from helpdesk.facts.kinds import SYSTEM, Actor, FactKind
from helpdesk.facts.recording import record
from helpdesk.pending.marks import note
from helpdesk.pending.models import Kind
from helpdesk.permissions import Right
from helpdesk.users.acting import needs
from reviews.models import ReviewRules
from reviews.sampling import FIRST_LOOK_BACK


def review_rules() -> ReviewRules:
    """Those in force; the defaults, with sampling off, of a company that has set none."""
    rules: ReviewRules | None = ReviewRules.objects.select_related("label").first()
    return rules or ReviewRules()


@needs(Right.MANAGE_REVIEWS)
def change_rules(*, values: dict[str, Any], actor: Actor = SYSTEM) -> bool:
    """Store these of the rules; False when they are what they were. What was chosen already stays chosen.

    Switching the sampling on looks a week back, never through the time that it was off before that.
    """
    rules: ReviewRules = ReviewRules.objects.select_for_update().get_or_create()[0]
    changed = [name for name, value in values.items() if getattr(rules, name) != value]
    if not changed:
        return False
    for name in changed:
        setattr(rules, name, values[name])
    if "is_on" in changed and rules.is_on:
        earliest = timezone.now() - FIRST_LOOK_BACK
        rules.sampled_until = max(earliest, rules.sampled_until or earliest)
    rules.save()
    if rules.is_on:
        note(Kind.REVIEWS)
    record(FactKind.REVIEW_RULES_CHANGED, subject_id=rules.id, actor=actor, settings=len(changed))
    return True
