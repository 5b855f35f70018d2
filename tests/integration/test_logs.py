"""What the log says about requests that came with something strange."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

pytestmark = pytest.mark.django_db
WORDS = "my name is Ana Person"


@contextmanager
def log_written() -> Iterator[io.StringIO]:
    """What the handler writes meanwhile."""
    written = io.StringIO()
    (handler,) = [each for each in logging.getLogger().handlers if type(each) is logging.StreamHandler]
    previous = handler.setStream(written)
    try:
        yield written
    finally:
        handler.setStream(previous)


@pytest.mark.parametrize("logger", ["django.request", "celery.app.trace"])
def test_an_error_of_the_database_is_told_without_the_row_that_it_quotes(logger: str) -> None:
    with log_written() as written:
        try:
            with transaction.atomic():
                connection.cursor().execute("SELECT %s::jsonb", [f'{{"title": "{WORDS}'])
        except DatabaseError as error:
            logging.getLogger(logger).exception("failed: %s", error if logger.startswith("celery") else "/")
    assert "DataError" in written.getvalue()
    assert "test_logs.py" in written.getvalue()
    assert WORDS not in written.getvalue()


@pytest.mark.parametrize("host", ["customer-secret.example", "<script>alert(1)</script>"])
@pytest.mark.parametrize("path", ["/desk/", "/accounts/login/", "/api/v1/stats/"])
def test_a_strange_host_is_refused_with_one_line_that_does_not_repeat_it(
    host: str, path: str, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with log_written() as written:
        response = client.get(path, headers={"host": host})
    assert response.status_code == 400
    (line,) = written.getvalue().splitlines()
    assert "disallowed_host" in line
    assert host not in written.getvalue() + caplog.text
    assert host not in response.content.decode()
