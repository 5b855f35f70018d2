"""Commands whose services are away: one sentence that says what to do, and an exit status that is not 0.

Everything else that a command raises is a fault of ours and keeps its traceback.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

# What PostgreSQL answers to somebody who may not in, by its SQLSTATE or, while signing in, by its words only.
_SIGN_IN = re.compile(r"authentication failed|no password supplied|role \".*\" does not exist|no pg_hba\.conf entry")
_NO_DATABASE = re.compile(r"database \".*\" does not exist")
_NOT_YET = re.compile(r"starting up|shutting down|in recovery mode|terminating connection")
_FULL = re.compile(r"too many clients|too many connections|remaining connection slots")
_LOST = re.compile(r"connection is (?:closed|lost)|connection already closed")
_LOST_STATES = ("08", "28", "3D", "53300", "57P")


def main(arguments: list[str]) -> None:
    """Run a command of manage.py."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import Error as DatabaseError
    from kombu.exceptions import OperationalError as BrokerError
    from psycopg import Error as PsycopgError
    from redis.exceptions import RedisError

    try:
        _without_pool()
        execute_from_command_line(arguments)
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except (DatabaseError, PsycopgError, RedisError, BrokerError) as error:
        sentence = about_services(error)
        if sentence is None:
            raise
        sys.exit(sentence)


def about_services(error: BaseException) -> str | None:
    """What to do when the error says that PostgreSQL or Valkey is away; None for any other error.

    Nothing of the error's own text is repeated: it may quote addresses with passwords, or rows.
    """
    import psycopg
    from kombu.exceptions import OperationalError as BrokerError
    from redis.exceptions import AuthenticationError, RedisError
    from redis.exceptions import ConnectionError as NoConnection
    from redis.exceptions import TimeoutError as NoAnswer

    for each in _with_causes(error):
        if isinstance(each, psycopg.Error):
            return _about_postgres(each)
        if isinstance(each, AuthenticationError):
            return f"Valkey at {_valkey()} refuses the password of REDIS_URL. Put the right one there."
        if isinstance(each, NoConnection | NoAnswer) or (
            isinstance(each, BrokerError) and not isinstance(each.__cause__, RedisError)
        ):
            return (
                f"Valkey at {_valkey()} does not answer. Start the desk with `make run`, or say in REDIS_URL where "
                "Valkey is, and run the command again."
            )
    return None


def _about_postgres(error: BaseException) -> str | None:
    from django.conf import settings
    from psycopg import OperationalError

    database = settings.DATABASES["default"]
    state, words = getattr(error, "sqlstate", None) or "", str(error)
    is_lost = _LOST.search(words) is not None
    if not is_lost and not (isinstance(error, OperationalError) and (not state or state.startswith(_LOST_STATES))):
        return None
    place = f"PostgreSQL at {database['HOST']}:{database['PORT']}"
    if state.startswith("28") or _SIGN_IN.search(words):
        return f"{place} does not let {database['USER']!r} in. Put the right user and password into DATABASE_URL."
    if state.startswith("3D") or _NO_DATABASE.search(words):
        return f"{place} has no database {database['NAME']!r}. Create it, or name another one in DATABASE_URL."
    if state.startswith("53") or _FULL.search(words):
        return f"{place} has no connection left. Wait a moment, or raise its max_connections."
    if state.startswith("57P") or _NOT_YET.search(words):
        return f"{place} is starting or stopping. Run the command again in a moment."
    return (
        f"{place} does not answer. Start the desk with `make run`, or say in DATABASE_URL where PostgreSQL is, "
        "and run the command again."
    )


def _valkey() -> str:
    from django.conf import settings

    parts = urlsplit(settings.REDIS_URL)
    return f"{parts.hostname}:{parts.port or 6379}"


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _without_pool() -> None:
    """One process, one connection: a database that is away is known at once and not after the pool's patience, during
    which it logs each attempt."""
    from django.conf import settings

    options = settings.DATABASES["default"].get("OPTIONS")
    if isinstance(options, dict):
        options.pop("pool", None)
