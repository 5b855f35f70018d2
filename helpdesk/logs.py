"""Structured logs: named events with ids and numbers, never text that people or models wrote."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from traceback import format_tb
from typing import Any

import structlog

DATABASE_MODULES = ("django.db", "psycopg")

SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


class DropRequestBodies(logging.Filter):
    """Keep request and exception arguments out of library records: local variables may hold customers' words."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name in ("request", "status_code"):
            record.__dict__.pop(name, None)
        return True


class DropNotReady(logging.Filter):
    """Health answers 503 while the desk starts; somebody asks several times a second, and that is no error."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        return request is None or not request.path.startswith("/health/")


class NameDisallowedHost(logging.Filter):
    """A request for a host that is not ours is one line: neither a traceback nor the header's text, which anybody may write."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.msg, record.args, record.exc_info, record.exc_text = "disallowed_host", (), None, None
        return True


class HideDatabaseWords(logging.Filter):
    """Errors of the database quote rows and values: of their tracebacks only classes and places are kept."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        chain = list(_with_causes(error))
        if any(type(each).__module__.startswith(DATABASE_MODULES) for each in chain):
            # Celery's message repeats the error's text.
            event = record.name if record.name.startswith("celery") else record.getMessage()
            places = "".join(f"{type(each).__name__}\n{''.join(format_tb(each.__traceback__))}" for each in chain)
            record.msg, record.args, record.exc_info, record.exc_text = f"{event}\n{places}", (), None, None
        return True


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def logging_settings(*, json_lines: bool) -> dict[str, Any]:
    """The `LOGGING` setting; structlog and the standard library share one handler."""
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json_lines
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "drop_request": {"()": "helpdesk.logs.DropRequestBodies"},
            "hide_database_words": {"()": "helpdesk.logs.HideDatabaseWords"},
            "drop_not_ready": {"()": "helpdesk.logs.DropNotReady"},
            "name_disallowed_host": {"()": "helpdesk.logs.NameDisallowedHost"},
        },
        "formatters": {
            "events": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    renderer,
                ],
                "foreign_pre_chain": SHARED,
            }
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "events",
                "filters": ["drop_request", "hide_database_words"],
            }
        },
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            "django.db.backends": {"level": "WARNING"},
            "django.request": {"filters": ["drop_not_ready"]},
            "django.security.DisallowedHost": {"filters": ["name_disallowed_host"]},
            "daphne.server": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
        },
    }
