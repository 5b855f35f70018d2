"""Which address limits count: chains of forwarding that strangers, proxies and both together wrote."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory

from helpdesk import env
from helpdesk.web.client_address import client_address, limited_address

ROOT = Path(__file__).resolve().parents[2]
STARTS = ("Dockerfile", "docker-compose.yml", "helpdesk/embedded/children.py", "Makefile")
PROXY, SECOND, STRANGER, VICTIM = "10.0.0.2", "10.0.0.3", "203.0.113.9", "198.51.100.7"


@pytest.fixture
def proxies(settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.2"), ip_network("10.0.0.3"), ip_network("fd00::/8")]


@pytest.mark.parametrize("forwarded", ["", VICTIM, f"{VICTIM}, {PROXY}", "127.0.0.1", ", ".join([VICTIM] * 50), "::1"])
def test_without_named_proxies_nobodys_word_counts(settings: Any, forwarded: str) -> None:
    settings.TRUSTED_PROXIES = []
    assert limited_address(STRANGER, forwarded) == STRANGER
    assert limited_address("127.0.0.1", forwarded) == "127.0.0.1"


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        (STRANGER, VICTIM, STRANGER),
        (STRANGER, f"{VICTIM}, {PROXY}", STRANGER),
        (PROXY, VICTIM, VICTIM),
        (PROXY, f"  {VICTIM}  ", VICTIM),
        (PROXY, f"{VICTIM}, {STRANGER}", STRANGER),
        (PROXY, f"{VICTIM}, {STRANGER}, {SECOND}", STRANGER),
        (PROXY, f"{VICTIM}, 127.0.0.1, {STRANGER}", STRANGER),
        (PROXY, "", PROXY),
        (PROXY, ",,,", PROXY),
        (PROXY, "unknown", PROXY),
        (PROXY, f"{VICTIM}, not-an-address", PROXY),
        (PROXY, f"{VICTIM}, _hidden, {SECOND}", SECOND),
        (PROXY, f"{VICTIM}:4711", VICTIM),
        (PROXY, f"[2001:db8:1:2::9]:4711, {SECOND}", "2001:db8:1:2::/64"),
        (PROXY, f"::ffff:{VICTIM}", VICTIM),
        (f"::ffff:{PROXY}", VICTIM, VICTIM),
        ("fd00::5", VICTIM, VICTIM),
        ("2001:db8:1:2:aaaa::1", VICTIM, "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", "", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "", "fe80::/64"),
        (PROXY, f"{PROXY}, {SECOND}", PROXY),
        ("", VICTIM, "unknown"),
        (PROXY, "999.1.1.1", PROXY),
        (PROXY, "0x7f.1", PROXY),
    ],
)
def test_a_chain_is_believed_from_the_nearest_hop_to_the_first_stranger(
    proxies: None, peer: str, forwarded: str, counted: str
) -> None:
    assert limited_address(peer, forwarded) == counted


def test_other_forwarding_headers_mean_nothing(proxies: None) -> None:
    claims = {"HTTP_X_REAL_IP": VICTIM, "HTTP_FORWARDED": f"for={VICTIM}", "HTTP_CLIENT_IP": VICTIM}
    assert client_address(RequestFactory().get("/", REMOTE_ADDR=PROXY, **claims)) == PROXY


@pytest.mark.parametrize("value", ["*", "0.0.0.0/0", "::/0", "nginx", "10.0.0.0/33", "10.0.0.2 10.0.0.3"])
def test_everybody_is_no_proxy(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("GLASSDESK_TRUSTED_PROXIES", value)
    with pytest.raises(ImproperlyConfigured, match="GLASSDESK_TRUSTED_PROXIES must be like"):
        env.networks("GLASSDESK_TRUSTED_PROXIES")


def test_proxies_are_addresses_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLASSDESK_TRUSTED_PROXIES", "10.0.0.2, 172.16.0.0/12,fd00::/8")
    named = env.networks("GLASSDESK_TRUSTED_PROXIES")
    assert [str(network) for network in named] == ["10.0.0.2/32", "172.16.0.0/12", "fd00::/8"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", {}),
        ("smtp://mail.example", ("mail.example", 25, "", "", False, False)),
        ("smtp+starttls://lin:p%40ss@mail.example", ("mail.example", 587, "lin", "p@ss", True, False)),
        ("smtps://lin:x@mail.example:4465", ("mail.example", 4465, "lin", "x", False, True)),
    ],
)
def test_a_mail_server_is_one_address(monkeypatch: pytest.MonkeyPatch, url: str, expected: Any) -> None:
    monkeypatch.setenv("GLASSDESK_MAIL_SERVER", url)
    found = env.mail_server("GLASSDESK_MAIL_SERVER")
    assert (tuple(found.values()) if found else {}) == expected


def test_a_mail_server_that_is_none_is_refused_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLASSDESK_MAIL_SERVER", "http://lin:secret@mail.example")
    with pytest.raises(ImproperlyConfigured) as refused:
        env.mail_server("GLASSDESK_MAIL_SERVER")
    assert "secret" not in str(refused.value)


def test_the_container_setup_names_its_proxy_and_nothing_else_believes_headers() -> None:
    """The web server itself would believe the first hop, which a stranger writes; Nginx replaces what strangers wrote."""
    files = {name: (ROOT / name).read_text(encoding="utf-8") for name in STARTS}
    assert [name for name, text in files.items() if "proxy-headers" in text] == []
    nginx = (ROOT / "deploy/nginx/glassdesk.conf").read_text(encoding="utf-8")
    forwarded = [line.split()[2] for line in nginx.splitlines() if "X-Forwarded-For " in line and "set_header" in line]
    assert set(forwarded) == {"$remote_addr;"}
    assert "GLASSDESK_TRUSTED_PROXIES:" in files["docker-compose.yml"]
