"""Who may read metrics."""

from __future__ import annotations

import pytest

from helpdesk.metrics.access import is_loopback, may_scrape

TOKEN = "a-token-of-some-length"


def asks(remote: str = "127.0.0.1", *headers: str, authorization: str = "", token: str = "") -> bool:
    return may_scrape(remote=remote, headers=headers, authorization=authorization, token=token)


@pytest.mark.parametrize("remote", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
def test_without_a_token_this_machine_may(remote: str) -> None:
    assert is_loopback(remote)
    assert asks(remote)


@pytest.mark.parametrize(
    "remote", ["10.0.0.7", "203.0.113.9", "::ffff:10.0.0.7", "2001:db8::1", "", "localhost", "unix:"]
)
def test_without_a_token_nobody_else_may(remote: str) -> None:
    assert not asks(remote)


@pytest.mark.parametrize("header", ["HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA"])
def test_what_a_proxy_on_this_machine_forwards_is_not_from_this_machine(header: str) -> None:
    assert not asks("127.0.0.1", header)


@pytest.mark.parametrize("remote", ["127.0.0.1", "203.0.113.9"])
def test_with_a_token_everybody_has_to_show_it(remote: str) -> None:
    assert asks(remote, "HTTP_X_FORWARDED_FOR", authorization=f"Bearer {TOKEN}", token=TOKEN)
    for wrong in ("", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"bearer {TOKEN}", "Bearer ", "Bearer \u00fc"):
        assert not asks(remote, authorization=wrong, token=TOKEN)
