"""A command whose PostgreSQL or Valkey is away says what to do in one sentence; faults of ours keep their traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core import management
from django.core.exceptions import ImproperlyConfigured
from django.db import DataError, OperationalError, ProgrammingError
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import AuthenticationError, ResponseError
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import TimeoutError as NoAnswer

from helpdesk.command_line import about_services, main
from tests.conftest import ROOT

PASSWORD = "hunter2secret"
NOBODY = {
    "DATABASE_URL": f"postgresql://someone:{PASSWORD}@127.0.0.1:1/desk",
    "REDIS_URL": f"redis://:{PASSWORD}@127.0.0.1:1/0",
}
# They look at Valkey or at their own files first and say what is wrong there.
OWN_WORDS = {
    "calibrate_cache",
    "calibrate_confidence",
    "evaluate_answers",
    "evaluate_attribution",
    "evaluate_help_centre",
    "fit_answerability",
    "fit_confidence",
    "models",
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What became of every command where neither answers."""
    apps = [app for app in settings.INSTALLED_APPS if (ROOT / app.replace(".", "/")).is_dir()]
    script = ROOT / "tests/integration/operations/run_all_commands.py"
    done = subprocess.run(
        [sys.executable, script, tmp_path_factory.mktemp("files"), *apps],
        cwd=ROOT,
        env=os.environ | NOBODY | {"PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "helpdesk.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert PASSWORD not in done.stdout + done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


def test_every_command_ends_with_a_sentence(results: dict[str, dict[str, Any]]) -> None:
    assert {"load_knowledge", "ask", "verify_traces", "create_company", "batch", *OWN_WORDS} <= set(results)
    for name, result in results.items():
        assert (name, result["raised"], result["code"]) == (name, "", 1)
        lines = result["err"].strip().splitlines()
        assert "Traceback" not in result["err"], name
        begins = "CommandError: " if name in OWN_WORDS else "PostgreSQL at 127.0.0.1:1 does not answer. Start the desk"
        assert lines[-1].startswith(begins), name


def test_nothing_else_is_printed(results: dict[str, dict[str, Any]]) -> None:
    """No warnings of a pool that tries and tries."""
    for name in ("load_knowledge", "create_company", "verify_traces", "api_keys", "load_demo"):
        assert len(results[name]["err"].strip().splitlines()) == 1, name


def of_state(state: str, words: str = "", kind: type[psycopg.Error] = psycopg.OperationalError) -> psycopg.Error:
    error = kind(words)
    error.sqlstate = state
    return error


def wrapped(cause: BaseException, kind: type[Exception] = OperationalError) -> Exception:
    """As Django and kombu hand errors on."""
    error = kind("said by the library")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (psycopg.OperationalError("connection failed: Connection refused"), "does not answer"),
        (psycopg.OperationalError("server closed the connection unexpectedly"), "does not answer"),
        (psycopg.InterfaceError("the connection is closed"), "does not answer"),
        (of_state("08006"), "does not answer"),
        (of_state("57P01", kind=psycopg.errors.AdminShutdown), "is starting or stopping"),
        (psycopg.OperationalError("FATAL:  the database system is starting up"), "is starting or stopping"),
        (psycopg.OperationalError('FATAL:  password authentication failed for user "x"'), "does not let"),
        (of_state("28P01"), "does not let"),
        (psycopg.OperationalError('FATAL:  database "desk" does not exist'), "has no database"),
        (of_state("3D000"), "has no database"),
        (psycopg.OperationalError("FATAL:  sorry, too many clients already"), "has no connection left"),
    ],
)
def test_what_is_the_matter_with_postgresql_is_said(error: psycopg.Error, words: str) -> None:
    for each in (error, wrapped(error)):
        sentence = about_services(each)
        assert sentence is not None
        assert words in sentence
        assert sentence.startswith("PostgreSQL at ")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NoConnection("Error 111 connecting"), "does not answer"),
        (NoAnswer("Timeout reading from socket"), "does not answer"),
        (BrokerError("Error 111 connecting"), "does not answer"),
        (wrapped(NoConnection("Error 111"), BrokerError), "does not answer"),
        (AuthenticationError("invalid username-password pair"), "refuses the password"),
        (wrapped(AuthenticationError("no"), BrokerError), "refuses the password"),
    ],
)
def test_what_is_the_matter_with_valkey_is_said(error: Exception, words: str) -> None:
    sentence = about_services(error)
    assert sentence is not None
    assert sentence.startswith("Valkey at ")
    assert words in sentence


@pytest.mark.parametrize(
    "error",
    [
        wrapped(psycopg.errors.UndefinedTable('relation "x" does not exist'), ProgrammingError),
        wrapped(of_state("22001", kind=psycopg.DataError), DataError),
        wrapped(of_state("40P01", kind=psycopg.errors.DeadlockDetected)),
        wrapped(of_state("57014", kind=psycopg.errors.QueryCanceled)),
        psycopg.InterfaceError("the cursor is closed"),
        ResponseError("wrong number of arguments"),
    ],
)
def test_faults_of_ours_keep_their_traceback(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    assert about_services(error) is None

    def execute(arguments: list[str]) -> None:
        raise error

    monkeypatch.setattr(management, "execute_from_command_line", execute)
    monkeypatch.setitem(settings.DATABASES, "default", dict(settings.DATABASES["default"], OPTIONS={}))
    with pytest.raises(type(error)):
        main(["manage.py", "something"])


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("x"), RuntimeError("x")])
def test_other_errors_are_not_touched(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def execute(arguments: list[str]) -> None:
        raise error

    monkeypatch.setattr(management, "execute_from_command_line", execute)
    monkeypatch.setitem(settings.DATABASES, "default", dict(settings.DATABASES["default"], OPTIONS={}))
    with pytest.raises(type(error)):
        main(["manage.py", "something"])


def test_a_wrong_setting_is_a_sentence_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def execute(arguments: list[str]) -> None:
        raise ImproperlyConfigured("GLASSDESK_DB_POOL must be a whole number, not 'many'.")

    monkeypatch.setattr(management, "execute_from_command_line", execute)
    monkeypatch.setitem(settings.DATABASES, "default", dict(settings.DATABASES["default"], OPTIONS={}))
    with pytest.raises(SystemExit) as ending:
        main(["manage.py", "something"])
    assert ending.value.code == "GLASSDESK_DB_POOL must be a whole number, not 'many'."


def test_the_migration_check_of_make_lint_asks_no_database_and_prints_no_warning(tmp_path: Path) -> None:
    line = next(
        line for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines() if "makemigrations" in line
    )
    assert "-W" not in line
    command = line.strip().removeprefix("@").replace("$(BIN)/python", sys.executable)
    environment = os.environ | {"GLASSDESK_DATA": str(tmp_path)}
    done = subprocess.run(command, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "No changes detected", "")
