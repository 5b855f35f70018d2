"""The one door to a tenant's rows: `with tenant_atomic(tenant_id): ...`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.db import connection, transaction


class TenantScopeMissing(RuntimeError):
    """Tenant rows were touched outside `tenant_atomic`; a programming error, never shown as an empty list."""


class TenantScopeMismatch(RuntimeError):
    """A scope of one tenant was opened, or a row of one was saved, inside another's."""


_tenant: ContextVar[UUID | None] = ContextVar("glassdesk_tenant", default=None)
_user: ContextVar[int | None] = ContextVar("glassdesk_user", default=None)


def current_tenant_id() -> UUID:
    """The tenant in scope; raises TenantScopeMissing outside one."""
    tenant_id = _tenant.get()
    if tenant_id is None:
        raise TenantScopeMissing("Tenant rows need a scope: with tenant_atomic(tenant_id): ...")
    return tenant_id


def is_in_scope() -> bool:
    """Whether a tenant's scope is open here: what waits now may wait with rows locked."""
    return _tenant.get() is not None


def _set_local(name: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])


@contextmanager
def _scope(variable: ContextVar[object | None], setting: str, value: object) -> Iterator[None]:
    token = variable.set(value)
    try:
        with transaction.atomic():
            _set_local(setting, str(value))
            yield
            # Inside an outer transaction the setting would outlive this block.
            if not connection.needs_rollback:
                _set_local(setting, "")
    finally:
        variable.reset(token)


@contextmanager
def tenant_atomic(tenant_id: UUID) -> Iterator[None]:
    """One transaction in one tenant's scope, for the managers and for row-level security alike.

    Nests for the same tenant (a savepoint); another tenant inside raises TenantScopeMismatch.
    """
    current = _tenant.get()
    if current is not None and current != tenant_id:
        raise TenantScopeMismatch("A tenant scope cannot be opened inside another tenant's.")
    # What runs on commit is still in the scope but no longer in its transaction, which held the database's setting.
    if current == tenant_id and connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    with _scope(_tenant, "app.tenant_id", tenant_id):  # type: ignore[arg-type]
        yield


@contextmanager
def tenant_snapshot(tenant_id: UUID) -> Iterator[None]:
    """Like `tenant_atomic`, and every query sees the rows of one moment, whatever others commit meanwhile. For reading.

    Inside another transaction it is `tenant_atomic`: what that one sees is settled already.
    """
    if connection.in_atomic_block:
        with tenant_atomic(tenant_id):
            yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with tenant_atomic(tenant_id):
            yield


@contextmanager
def user_atomic(user_id: int) -> Iterator[None]:
    """One transaction in which a person sees their own memberships of all tenants, and no other tenant row."""
    with _scope(_user, "app.user_id", user_id):  # type: ignore[arg-type]
        yield
