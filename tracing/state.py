"""What stands beside the chain and is changed in place: destroyed keys, holds, the policy, API keys.

Each change is an event of the chain. What the events add up to is compared with what the database has now, so that a change
without an event shows. Runs inside `tenant_atomic`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from heapq import merge
from typing import Any
from uuid import UUID

from django.db.models import Q

from helpdesk import crypto
from helpdesk.api_keys.models import ApiKey
from helpdesk.crypto import SealError
from tracing import keys
from tracing.findings import Finding
from tracing.links import plain_json
from tracing.models import (
    ChangeKind,
    DataKey,
    DeletionKind,
    DeletionReceipt,
    KeyEvent,
    KeyEventKind,
    LegalHold,
    RetentionChange,
    RetentionPolicy,
    Trace,
)

NAMED_ROWS = 100
DESTROYED = Q(wrapped=b"") | Q(destroyed_at__isnull=False)
NO_POLICY: dict[str, int | None] = {"prompts": None, "answers": None, "metrics": None}


@dataclass(slots=True)
class State:
    """Ids are text. `api_keys` says of each key what it is (`api_key_digest`) and whether it was revoked."""

    policy: dict[str, int | None] = field(default_factory=NO_POLICY.copy)
    held: set[str] = field(default_factory=set)
    destroyed: set[str] = field(default_factory=set)
    api_keys: dict[str, dict[str, Any]] = field(default_factory=dict)

    def is_something(self) -> bool:
        """Whether there is anything to note."""
        return self != State()

    def to_json(self) -> dict[str, Any]:
        """For the event that notes it."""
        return asdict(self) | {"held": sorted(self.held), "destroyed": sorted(self.destroyed)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> State:
        """What `to_json` made."""
        return cls(stored["policy"], set(stored["held"]), set(stored["destroyed"]), dict(stored["api_keys"]))


def present_state() -> State:
    """What the database has now."""
    policy: RetentionPolicy | None = RetentionPolicy.objects.first()
    holds = LegalHold.objects.filter(released_at__isnull=True).values_list("conversation_id", flat=True)
    return State(
        policy=in_force(policy) if policy else NO_POLICY.copy(),
        held={str(each) for each in holds},
        destroyed={str(each) for each in DataKey.objects.filter(DESTROYED).values_list("id", flat=True)},
        api_keys={str(key.id): _described(key) for key in ApiKey.objects.all()},
    )


def noted_state() -> State:
    """What the chain's events add up to."""
    state = State()
    rows = [
        KeyEvent.objects.exclude(kind__in=[KeyEventKind.CHECKPOINT, KeyEventKind.ROTATION_BEGUN]),
        RetentionChange.objects.all(),
        DeletionReceipt.objects.filter(kind__in=[DeletionKind.CUSTOMER, DeletionKind.TENANT]),
    ]
    ordered: list[Iterable[Any]] = [each.order_by("sequence").iterator() for each in rows]
    for event in merge(*ordered, key=lambda row: int(row.sequence)):
        state = _after(state, event)
    return state


def state_findings() -> Iterator[Finding]:
    """Where the database has something else than the chain says."""
    noted, present = noted_state(), present_state()
    yield from _key_findings(noted, present)
    for conversation in sorted(noted.held ^ present.held):
        is_gone = conversation in noted.held
        detail = "no longer held, without a release" if is_gone else "held, without a hold that was placed"
        yield Finding("hold_altered", table="conversation", row_id=UUID(conversation), detail=detail)
    if noted.policy != present.policy:
        yield Finding("policy_altered", table="retentionpolicy", detail=_difference(noted.policy, present.policy))
    yield from _api_key_findings(noted.api_keys, present.api_keys)


def api_key_digest(key: ApiKey) -> str:
    """Stands for everything about a key that decides what it may do, and for its name, in no words."""
    facts = [key.name, key.prefix, key.digest, key.scopes, key.requests_per_minute, key.expires_at, key.created_at]
    return sha256(plain_json(facts)).hexdigest()


def in_force(policy: RetentionPolicy) -> dict[str, int | None]:
    """The days of each class."""
    return {"prompts": policy.prompts_days, "answers": policy.answers_days, "metrics": policy.metrics_days}


def _after(state: State, event: KeyEvent | RetentionChange | DeletionReceipt) -> State:
    if isinstance(event, DeletionReceipt):
        state.destroyed |= set(event.policy.get("keys", ()))
    elif isinstance(event, RetentionChange):
        if event.kind == ChangeKind.POLICY_SET:
            state.policy = NO_POLICY | event.policy
        elif event.kind == ChangeKind.HOLD_PLACED:
            state.held.add(str(event.subject))
        else:
            state.held.discard(str(event.subject))
    elif event.kind == KeyEventKind.STATE_NOTED:
        return State.from_json(event.figures)
    elif event.kind == KeyEventKind.ROTATED:
        state.destroyed |= set(event.figures.get("destroyed_keys", ()))
    elif event.kind == KeyEventKind.API_KEY_CREATED:
        state.api_keys[str(event.subject)] = {"digest": event.figures["digest"], "revoked": False}
    elif event.kind == KeyEventKind.API_KEY_REVOKED and str(event.subject) in state.api_keys:
        state.api_keys[str(event.subject)] |= {"revoked": True}
    return state


def _described(key: ApiKey) -> dict[str, Any]:
    return {"digest": api_key_digest(key), "revoked": key.revoked_at is not None}


def _difference(noted: dict[str, int | None], present: dict[str, int | None]) -> str:
    changed = [name for name, days in noted.items() if present[name] != days]
    return ", ".join(f"{name}: {noted[name] or 'kept'} noted, {present[name] or 'kept'} found" for name in changed)


def _api_key_findings(noted: dict[str, dict[str, Any]], present: dict[str, dict[str, Any]]) -> Iterator[Finding]:
    for key_id in sorted(noted.keys() | present.keys()):
        before, now = noted.get(key_id), present.get(key_id)
        if before == now:
            continue
        kind = "api_key_altered" if before and now else "api_key_removed" if before else "api_key_inserted"
        detail = ""
        if before and now and before["revoked"] != now["revoked"]:
            detail = "it was revoked and no longer is" if before["revoked"] else "revoked without a note"
        yield Finding(kind, table="apikey", row_id=UUID(key_id), detail=detail)


def _key_findings(noted: State, present: State) -> Iterator[Finding]:
    """Keys that are gone without a receipt, back after one, or do not open; none is kept in memory for it."""
    for key_id in sorted(present.destroyed - noted.destroyed):
        yield Finding("key_destroyed", table="datakey", row_id=UUID(key_id))
    missing = Trace.objects.exclude(key_id__in=DataKey.objects.values("id")).values_list("key_id", flat=True)
    for key_id in missing.order_by("key_id").distinct()[:NAMED_ROWS]:
        yield Finding("key_missing", table="datakey", row_id=key_id)
    parents: dict[UUID, bytes | None] = {}
    for row in DataKey.objects.exclude(DESTROYED).select_related("parent").order_by("id").iterator(chunk_size=500):
        if str(row.id) in noted.destroyed:
            yield Finding("key_restored", table="datakey", row_id=row.id)
        elif not _opens(row, parents):
            yield Finding("key_altered", table="datakey", row_id=row.id)


def _opens(row: DataKey, parents: dict[UUID, bytes | None]) -> bool:
    if row.parent is None:
        return _unwrapped(row) is not None
    if row.parent.id not in parents:
        parents[row.parent.id] = _unwrapped(row.parent)
    above = parents[row.parent.id]
    if above is None:
        return False
    try:
        crypto.unseal(above, bytes(row.wrapped), keys.wrapping_data(row))
    except SealError:
        return False
    return True


def _unwrapped(row: DataKey) -> bytes | None:
    try:
        return keys.unwrapped(row)
    except SealError:
        return None
