"""Running the company's rules when a fact arrives. Runs in the scope of the delivery, and commits with it."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from automation.acting import carry_out
from automation.conditions import Conditions
from automation.events import happening_of
from automation.models import Rule, RuleRun, RunOutcome
from automation.triggers import triggers_of
from conversations.models import Conversation
from helpdesk.errors import GlassdeskError
from helpdesk.facts.models import Fact

logger = structlog.get_logger(__name__)

# Who writes that often in an hour is no customer; the guard behind the guard.
MOST_RUNS_AN_HOUR = 20


def run_rules(fact: Fact) -> None:
    """Run what begins with the fact, each rule once for it, in the company's order."""
    rules = list(Rule.objects.filter(trigger__in=triggers_of(fact), is_active=True).order_by("position", "created_at"))
    if not rules or fact.conversation_id is None:
        return
    # Locked, so that two deliveries in one conversation do not count its runs at once.
    rows = Conversation.objects.select_for_update(no_key=True).filter(deleted_at__isnull=True)
    for rule in rules:
        conversation: Conversation | None = rows.filter(id=fact.conversation_id).first()
        if conversation is None:
            return
        if RuleRun.objects.filter(rule=rule, fact_id=fact.id).exists():
            continue
        # Looked at anew for each: the one before may have changed what this one asks for.
        if Conditions.read(rule.conditions).hold(happening_of(conversation, fact)):
            _run(rule, conversation, fact)


def _run(rule: Rule, conversation: Conversation, fact: Fact) -> None:
    recent = RuleRun.objects.filter(conversation=conversation, at__gt=timezone.now() - timedelta(hours=1))
    if recent.exclude(outcome=RunOutcome.LIMITED).count() >= MOST_RUNS_AN_HOUR:
        outcome: RunOutcome = RunOutcome.LIMITED
        steps: list[str] = []
        logger.warning("rule_limited", rule_id=str(rule.id), conversation_id=str(conversation.id))
    else:
        outcome, steps = _carry_out(rule, conversation)
    RuleRun.objects.create(rule=rule, conversation=conversation, fact_id=fact.id, outcome=outcome, steps=steps)


def _carry_out(rule: Rule, conversation: Conversation) -> tuple[RunOutcome, list[str]]:
    """A rule does all of it or nothing: who was assigned may have left, a label may be gone."""
    try:
        with transaction.atomic():
            steps = carry_out(rule, conversation)
    except GlassdeskError as error:
        logger.warning("rule_failed", rule_id=str(rule.id), code=str(error.code))
        return RunOutcome.FAILED, [str(error.code)]
    return (RunOutcome.DONE if steps else RunOutcome.NOTHING), steps
