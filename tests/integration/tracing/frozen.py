"""A tenant with the rows that the desk of formats 2 and 3 stored, byte for byte: what it wrote, not what is written today."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from tracing.columns import COLUMNS

ROWS = json.loads(Path(__file__).with_name("formats_2_and_3.json").read_text(encoding="utf-8"))
TENANT = UUID(ROWS["tenants_tenant"][0]["id"])
# What the migrations give to rows from before their columns: the company's, and those of what it stored.
SINCE_OF_TENANTS: dict[str, dict[str, Any]] = {
    "tenants_tenant": {"accent": "", "welcome": {}, "widget_version": 1, "requires_second_step": False},
}
SINCE = SINCE_OF_TENANTS | {
    "conversations_reply": {"purpose": "answer", "variant": ""},
    "tracing_trace": {column.name: column.before for column in COLUMNS if column.since > 1},
}
# What their columns are called since.
RENAMED = {"conversations_reply": {"priority": "priority_class", "rank": "priority"}}


def insert_frozen_rows(owner_url: str, *, since: dict[str, dict[str, Any]], renamed: dict[str, dict[str, str]]) -> None:
    """Insert them; `since` fills the columns that came later, `renamed` says what columns are called now."""
    with psycopg.connect(owner_url) as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, true)", [str(TENANT)])
        for table, rows in ROWS.items():
            for row in rows:
                names = renamed.get(table, {})
                _insert(connection, table, since.get(table, {}) | {names.get(name, name): row[name] for name in row})


def _insert(connection: psycopg.Connection, table: str, row: dict[str, Any]) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, row))
    statement = sql.SQL("INSERT INTO {0} ({1}) SELECT {1} FROM jsonb_populate_record(NULL::{0}, %s)")
    connection.execute(statement.format(sql.Identifier(table), columns), [json.dumps(row)])
