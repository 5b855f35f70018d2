"""Database, extensions and the two roles: an owner that migrates and a restricted role that the desk runs as."""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import sql

DATABASE = "glassdesk"
SUPERUSER = "postgres"
OWNER = "glassdesk_owner"
APP = "glassdesk_app"
EXTENSIONS = ("vector", "pg_trgm", "citext")
# Row-level security lets an index serve only operators that tell nothing of rows which the reader may not see. `@@` says
# true or false and nothing else, neither in errors nor in a log, but PostgreSQL does not claim so by itself.
INDEXED_SEARCH: LiteralString = "ALTER FUNCTION pg_catalog.ts_match_vq(tsvector, tsquery) LEAKPROOF"

Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Server:
    """Where the server listens and the passwords of its three roles."""

    port: int
    superuser_password: str
    owner_password: str
    app_password: str

    def connect(self, database: str) -> Connection:
        """A superuser's connection in autocommit mode."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=SUPERUSER,
            password=self.superuser_password,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )


def provision(server: Server) -> None:
    """Bring roles, template and database into the state described here; harmless to repeat.

    Extensions and rights go into template1 as well, since `vector` takes a superuser to create: a test database that
    the owner creates has everything that the real one has.
    """
    with server.connect("template1") as connection:
        _ensure_role(connection, OWNER, "LOGIN CREATEDB", server.owner_password)
        _ensure_role(connection, APP, "LOGIN NOCREATEDB", server.app_password)
        _prepare_database(connection)
        exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
    with server.connect("postgres") as connection:
        if exists is None:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
            )
        names = {"database": sql.Identifier(DATABASE), "app": sql.Identifier(APP)}
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {database} FROM PUBLIC").format(**names))
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {database} TO {app}").format(**names))
    with server.connect(DATABASE) as connection:
        connection.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(sql.Identifier(OWNER)))
        connection.execute(INDEXED_SEARCH)


def _ensure_role(connection: Connection, name: str, attributes: LiteralString, password: str) -> None:
    """The password is hashed on this side, so that it can reach no server log."""
    hashed = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode("ascii")
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    statement = sql.SQL(
        "{verb} ROLE {name} {attributes} NOSUPERUSER NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD {password}"
    )
    connection.execute(
        statement.format(
            verb=sql.SQL("ALTER" if known else "CREATE"),
            name=sql.Identifier(name),
            attributes=sql.SQL(attributes),
            password=sql.Literal(hashed),
        )
    )


def _prepare_database(connection: Connection) -> None:
    """Extensions, and what the restricted role may do with the tables that the owner will make."""
    for extension in EXTENSIONS:
        connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
    connection.execute(INDEXED_SEARCH)
    names = {"owner": sql.Identifier(OWNER), "app": sql.Identifier(APP)}
    defaults = sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT ").format(**names)
    for statement in (
        sql.SQL("GRANT USAGE ON SCHEMA public TO {app}").format(**names),
        defaults + sql.SQL("SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}").format(**names),
        defaults + sql.SQL("USAGE ON SEQUENCES TO {app}").format(**names),
    ):
        connection.execute(statement)
