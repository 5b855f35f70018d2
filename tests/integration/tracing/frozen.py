"""A tenant with the rows that the desk of formats 2 and 3 stored, byte for byte: what it wrote, not what is written today."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from django.apps import apps
from psycopg import sql

from tracing.columns import COLUMNS

ROWS = json.loads(Path(__file__).with_name("formats_2_and_3.json").read_text(encoding="utf-8"))
TENANT = UUID(ROWS["tenants_tenant"][0]["id"])
# What the migrations give to rows from before their columns, where that is not the model's default.
SINCE = {
    "conversations_reply": {"purpose": "answer", "variant": ""},
    "tracing_trace": {column.name: column.before for column in COLUMNS if column.since > 1},
}
# What their columns are called since.
RENAMED = {"conversations_reply": {"priority": "priority_class", "rank": "priority"}}


def insert_frozen_rows(owner_url: str, *, since: dict[str, dict[str, Any]], renamed: dict[str, dict[str, str]]) -> None:
    """Insert them as the schema is now: later columns get `since` or their default, `renamed` says what got another name."""
    with psycopg.connect(owner_url) as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, true)", [str(TENANT)])
        for table, rows in ROWS.items():
            names, required = renamed.get(table, {}), _required(connection, table)
            for row in rows:
                known = since.get(table, {}) | {names.get(name, name): row[name] for name in row}
                _insert(connection, table, _defaults(table, required - known.keys()) | known)


def _required(connection: psycopg.Connection, table: str) -> set[str]:
    """Columns that have to have a value."""
    found = connection.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = %s AND is_nullable = 'NO' AND column_default IS NULL",
        [table],
    )
    return {name for (name,) in found}


def _defaults(table: str, columns: set[str]) -> dict[str, Any]:
    """What today's model gives to these columns."""
    (model,) = [each for each in apps.get_models() if each._meta.db_table == table]
    return {field.column: field.get_default() for field in model._meta.concrete_fields if field.column in columns}


def _insert(connection: psycopg.Connection, table: str, row: dict[str, Any]) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, row))
    statement = sql.SQL("INSERT INTO {0} ({1}) SELECT {1} FROM jsonb_populate_record(NULL::{0}, %s)")
    connection.execute(statement.format(sql.Identifier(table), columns), [json.dumps(row)])
