"""Row-level security as a migration operation, and what the start-up check and the tests ask about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import models
from django.db.migrations.operations.base import Operation

TENANT_MATCH = "tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid"
OWN_MEMBERSHIP = "user_id = NULLIF(current_setting('app.user_id', true), '')::bigint"


def tenant_foreign_keys(model: type[models.Model]) -> list[models.ForeignKey[Any, Any]]:
    """The model's foreign keys to other tenant rows, without those that may point at nothing."""
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
        and getattr(field, "db_constraint", True)
        and any(other.name == "tenant" for other in field.related_model._meta.concrete_fields)
    ]


def _tenant_key(table: str) -> str:
    """The index that composite keys refer to; a table may be referred to before its own operation runs."""
    return f'CREATE UNIQUE INDEX IF NOT EXISTS "{table}_tenant_key" ON "{table}" (tenant_id, id)'


def _bind_foreign_key(run: Callable[[str], Any], table: str, field: models.ForeignKey[Any, Any]) -> None:
    target = field.related_model._meta.db_table
    run(_tenant_key(target))
    run(
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_{field.column}_tenant" '
        f'FOREIGN KEY (tenant_id, "{field.column}") REFERENCES "{target}" (tenant_id, id) '
        "DEFERRABLE INITIALLY DEFERRED"
    )


class TenantIsolation(Operation):
    """Enable and force row-level security on a tenant table and tie its foreign keys to the same tenant.

    Adds the policy (USING and WITH CHECK), UNIQUE (tenant_id, id), and for each foreign key to a tenant table a
    composite one on (tenant_id, key), because PostgreSQL's own checks of foreign keys ignore row-level security.
    `also_readable` is a further SQL condition for SELECT only.
    """

    reversible = True

    def __init__(self, model_name: str, *, also_readable: str = "") -> None:
        self.model_name = model_name
        self.also_readable = also_readable

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        extra = {"also_readable": self.also_readable} if self.also_readable else {}
        return self.__class__.__name__, [self.model_name], extra

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models' state does not change."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        table = model._meta.db_table
        run = schema_editor.execute
        run(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        run(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
        run(f'CREATE POLICY tenant_isolation ON "{table}" USING ({TENANT_MATCH}) WITH CHECK ({TENANT_MATCH})')
        if self.also_readable:
            run(f'CREATE POLICY also_readable ON "{table}" FOR SELECT USING ({self.also_readable})')
        run(_tenant_key(table))
        for field in tenant_foreign_keys(model):
            _bind_foreign_key(run, table, field)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        table = model._meta.db_table
        for field in tenant_foreign_keys(model):
            schema_editor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{table}_{field.column}_tenant"')
        schema_editor.execute(f'DROP INDEX "{table}_tenant_key"')
        schema_editor.execute(f'DROP POLICY IF EXISTS also_readable ON "{table}"')
        schema_editor.execute(f'DROP POLICY tenant_isolation ON "{table}"')
        schema_editor.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
        schema_editor.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')

    def describe(self) -> str:
        return f"Isolate the tenants' rows of {self.model_name}"


class TenantForeignKey(Operation):
    """Tie a foreign key that joined an isolated table later to the same tenant."""

    reversible = True

    def __init__(self, model_name: str, field_name: str) -> None:
        self.model_name = model_name
        self.field_name = field_name

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__name__, [self.model_name, self.field_name], {}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models' state does not change."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        _bind_foreign_key(schema_editor.execute, model._meta.db_table, model._meta.get_field(self.field_name))

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        table, column = model._meta.db_table, model._meta.get_field(self.field_name).column
        schema_editor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{table}_{column}_tenant"')

    def describe(self) -> str:
        return f"Tie {self.field_name} of {self.model_name} to the same tenant"


class AppendOnly(Operation):
    """Refuse UPDATE and DELETE on a table by a trigger, whoever asks.

    `blankable` names one bytea column that may become empty, with nothing else changed; `deletable` lets whole rows go.
    """

    reversible = True

    def __init__(self, model_name: str, *, blankable: str = "", deletable: bool = False) -> None:
        self.model_name = model_name
        self.blankable = blankable
        self.deletable = deletable

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        given = {"blankable": self.blankable, "deletable": self.deletable}
        return self.__class__.__name__, [self.model_name], {name: value for name, value in given.items() if value}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models' state does not change."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        table = to_state.apps.get_model(app_label, self.model_name)._meta.db_table
        schema_editor.execute(
            f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {self._exceptions()} RAISE EXCEPTION '{table} is append-only'; END $$"
        )
        schema_editor.execute(
            f'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON "{table}" '
            f"FOR EACH ROW EXECUTE FUNCTION {table}_append_only()"
        )

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        table = from_state.apps.get_model(app_label, self.model_name)._meta.db_table
        schema_editor.execute(f'DROP TRIGGER append_only ON "{table}"')
        schema_editor.execute(f"DROP FUNCTION {table}_append_only()")

    def _exceptions(self) -> str:
        statements = "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;" if self.deletable else ""
        if self.blankable:
            name = self.blankable
            # Nested: OLD and NEW both exist for UPDATE only.
            statements += (
                f" IF TG_OP = 'UPDATE' THEN IF NEW.{name} = ''::bytea"
                f" AND to_jsonb(NEW) - '{name}' = to_jsonb(OLD) - '{name}' THEN RETURN NEW; END IF; END IF;"
            )
        return statements

    def describe(self) -> str:
        return f"Make {self.model_name} append-only"
