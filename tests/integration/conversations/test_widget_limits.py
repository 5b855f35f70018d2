"""How many visitors one address can make, whatever it claims about itself."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from conversations.widget.views import SessionThrottle
from helpdesk.tenants.models import Tenant
from tests.factories import make_tenant, make_ticket

pytestmark = pytest.mark.django_db
STRANGER = "203.0.113.9"


@pytest.fixture(autouse=True)
def two_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setattr(SessionThrottle, "rate", "2/min", raising=False)


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def visit(tenant: Tenant, address: str = STRANGER, **claims: str) -> int:
    claims |= {"HTTP_GLASSDESK_TICKET": make_ticket(tenant)}
    return Client().post(f"/widget/{tenant.slug}/session", REMOTE_ADDR=address, **claims).status_code


@pytest.mark.parametrize("header", ["HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_X_CLIENT_IP"])
def test_claiming_other_addresses_lifts_no_limit(tenant: Tenant, header: str) -> None:
    claims = [{header: f"198.51.100.{number}"} for number in range(4)]
    assert [visit(tenant, **claim) for claim in claims] == [200, 200, 429, 429]
    assert visit(tenant, "198.51.100.3") == 200


def test_a_network_of_one_customer_is_one_address(tenant: Tenant) -> None:
    assert [visit(tenant, f"2001:db8:1:2::{number + 1}") for number in range(3)] == [200, 200, 429]
    assert visit(tenant, "2001:db8:1:3::1") == 200


def test_behind_a_named_proxy_customers_are_told_apart(tenant: Tenant, settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.2")]
    chains = [f"198.51.100.{number}, {STRANGER}" for number in range(3)]
    assert [visit(tenant, "10.0.0.2", HTTP_X_FORWARDED_FOR=chain) for chain in chains] == [200, 200, 429]
    assert visit(tenant, "10.0.0.2", HTTP_X_FORWARDED_FOR="198.51.100.1") == 200
