"""Facts that a subscriber could not take, however often: they wait for a person who mends the cause."""

from __future__ import annotations

from django.db.models import QuerySet

from helpdesk.facts.models import Fact, Setback
from helpdesk.pending.marks import note
from helpdesk.pending.models import Kind


def parked() -> QuerySet[Setback]:
    """Those of the tenant in scope with their facts, the oldest first."""
    rows: QuerySet[Setback] = Setback.objects.filter(parked_at__isnull=False)
    return rows.select_related("fact").order_by("fact__number")


def owe_again(setback: Setback) -> None:
    """Let the relay bring the fact again. Runs inside `tenant_atomic`.

    What the subscriber had of the same lane meanwhile came before it: order is kept among what is owed only.
    """
    fact = Fact.objects.select_for_update(no_key=True).get(id=setback.fact_id)
    fact.owed = [*(name for name in fact.owed if name != setback.subscriber), setback.subscriber]
    fact.save(update_fields=["owed"])
    note(Kind.FACTS)
    setback.delete()
