"""What the log says about requests that came with something strange."""

from __future__ import annotations

import io
import logging

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("host", ["customer-secret.example", "<script>alert(1)</script>"])
@pytest.mark.parametrize("path", ["/desk/", "/accounts/login/", "/api/v1/stats/"])
def test_a_strange_host_is_refused_with_one_line_that_does_not_repeat_it(
    host: str, path: str, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    written = io.StringIO()
    (handler,) = [each for each in logging.getLogger().handlers if type(each) is logging.StreamHandler]
    previous = handler.setStream(written)
    try:
        response = client.get(path, headers={"host": host})
    finally:
        handler.setStream(previous)
    assert response.status_code == 400
    (line,) = written.getvalue().splitlines()
    assert "disallowed_host" in line
    assert host not in written.getvalue() + caplog.text
    assert host not in response.content.decode()
