"""The web process as it is deployed, on a port of its own, in front of the worker of the tests; callers use OpenAI's client."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from helpdesk.tenants.models import Tenant
from tests.conftest import ROOT
from tests.factories import make_api_key
from tests.integration.inference_worker.conftest import (  # noqa: F401 - fixtures
    engine,
    shop,
    started_worker,
    wait_for,
    worker,
)
from tests.running_stack import free_port


class Web:
    """A running Daphne."""

    def __init__(self) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "daphne", "-v", "0", "-p", str(self.port), "helpdesk.asgi:application"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=os.environ.copy())
        wait_for(self.accepts)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def accepts(self) -> bool:
        assert self.process.poll() is None, "the web process has ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture(scope="package")
def web(django_db_setup: None) -> Iterator[Web]:
    """The web process."""
    web = Web()
    yield web
    web.stop()


@pytest.fixture
def client_of(web: Web) -> Iterator[Callable[..., openai.OpenAI]]:
    """Makes clients with a new key of a tenant; each is closed at the end."""
    made: list[openai.OpenAI] = []

    def make(tenant: Tenant, *scopes: str, **fields: Any) -> openai.OpenAI:
        key = make_api_key(tenant, scopes or ("answers:write",), **fields)
        made.append(openai.OpenAI(api_key=key, base_url=f"{web.url}/v1", max_retries=0, timeout=60))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(client_of: Callable[..., openai.OpenAI], shop: Tenant) -> openai.OpenAI:  # noqa: F811
    """A client of the shop that may ask."""
    return client_of(shop)
