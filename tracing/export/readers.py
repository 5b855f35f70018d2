"""Who exports, and with which reason: the doors of `tracing.read` for a whole set of traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from django.utils import timezone

from helpdesk.api_keys.domain import ApiClient
from helpdesk.api_keys.models import ApiKey, KeyState
from helpdesk.api_keys.scopes import Scope
from helpdesk.errors import Forbidden
from helpdesk.permissions import Right, has_right
from helpdesk.users.models import Membership, User
from tracing.models import Trace
from tracing.read import (
    OpenedTrace,
    open_trace_and_analyses,
    open_trace_and_analyses_from_shell,
    open_trace_for_client,
)
from tracing.reasons import clean_reason


class Reader(Protocol):
    """Asked in the tenant's scope: once before each portion, then for each trace of it."""

    @property
    def reads_content(self) -> bool:
        """Whether contents are opened at all."""

    def admit(self) -> None:
        """Raises Forbidden when the reader may not go on."""

    def open(self, trace: Trace) -> OpenedTrace:
        """The content, logged. Raises TraceUnreadable."""


@dataclass(slots=True)
class DeskReader:
    """A person at the desk; without a reason only the metrics. The membership is looked up anew for each portion."""

    user: User
    reason: str | None = None
    membership: Membership | None = None

    @property
    def reads_content(self) -> bool:
        """With a reason."""
        return self.reason is not None

    def admit(self) -> None:
        """Raises Forbidden when the membership or its right is gone."""
        right = Right.READ_TRACE_CONTENT if self.reads_content else Right.SEE_TRACE
        self.membership = Membership.objects.filter(user=self.user, user__is_active=True).first()
        if self.membership is None or not has_right(self.membership.role, right):
            raise Forbidden

    def open(self, trace: Trace) -> OpenedTrace:
        """The content, logged with the person's name."""
        if self.membership is None or self.reason is None:
            raise Forbidden
        return open_trace_and_analyses(trace=trace, user=self.user, membership=self.membership, reason=self.reason)


@dataclass(frozen=True, slots=True)
class ClientReader:
    """Other software with a key; without a reason only the metrics. The key is looked up anew for each portion."""

    client: ApiClient
    reason: str | None = None

    def __post_init__(self) -> None:
        if self.reason is not None:
            clean_reason(self.reason)

    @property
    def reads_content(self) -> bool:
        """With a reason."""
        return self.reason is not None

    def admit(self) -> None:
        """Raises Forbidden when the key was revoked, has expired or lacks the scope."""
        scope = Scope.TRACES_CONTENT if self.reads_content else Scope.TRACES_READ
        key: ApiKey | None = ApiKey.objects.filter(id=self.client.key_id).first()
        if key is None or key.state_at(timezone.now()) != KeyState.ACTIVE or scope not in key.scopes:
            raise Forbidden

    def open(self, trace: Trace) -> OpenedTrace:
        """The content, logged with the key."""
        if self.reason is None:
            raise Forbidden
        return open_trace_for_client(trace=trace, client=self.client, reason=self.reason)


@dataclass(frozen=True, slots=True)
class ShellReader:
    """Somebody with a shell and the master key; without a reason only the metrics."""

    reason: str | None = None

    def __post_init__(self) -> None:
        if self.reason is not None:
            clean_reason(self.reason)

    @property
    def reads_content(self) -> bool:
        """With a reason."""
        return self.reason is not None

    def admit(self) -> None:
        """Whoever has the shell may."""

    def open(self, trace: Trace) -> OpenedTrace:
        """The content, logged without a person."""
        if self.reason is None:
            raise Forbidden
        return open_trace_and_analyses_from_shell(trace=trace, reason=self.reason)
