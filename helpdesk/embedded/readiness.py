"""Asks the web server whether the desk is ready to answer customers."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Readiness:
    """`waiting_for` names the parts that are not ready yet."""

    ready: bool
    waiting_for: tuple[str, ...] = ()


def ask(port: int, *, host: str, https: bool, models: Iterable[str] = (), timeout: float = 3) -> Readiness:
    """One request to /health/ready on this machine; `host` is a name that the desk answers to.

    `models` are the names of further models that have to be warm too.

    With HTTPS the request claims to come from a proxy that ended it, or it would be redirected.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    headers = {"Host": host} | ({"X-Forwarded-Proto": "https"} if https else {})
    try:
        connection.request("GET", "/health/ready", headers=headers)
        response = connection.getresponse()
        body = response.read(100_000)
    except (OSError, http.client.HTTPException):
        return Readiness(ready=False, waiting_for=("web server",))
    finally:
        connection.close()
    if response.status == http.client.OK:
        cold = tuple(f"model {name}" for name in models if name not in warm_models(body))
        return Readiness(ready=not cold, waiting_for=cold)
    return Readiness(ready=False, waiting_for=not_ready(body) or (f"web server (status {response.status})",))


def not_ready(body: bytes) -> tuple[str, ...]:
    """The components of the health report that are not ready."""
    try:
        components: dict[str, Any] = json.loads(body)["components"]
        return tuple(name for name, state in components.items() if not state["ready"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()


def warm_models(body: bytes) -> set[str]:
    """The names of the models that are warm, of a health report."""
    try:
        models: list[dict[str, Any]] = json.loads(body)["components"]["inference"]["models"]
        return {str(model["alias"]) for model in models if model["ready"]}
    except (ValueError, KeyError, TypeError, AttributeError):
        return set()


def host_name(allowed_hosts: list[str], port: int) -> str:
    """A Host header that Django accepts: the loopback address unless the settings name other hosts only."""
    if not allowed_hosts or {"*", "127.0.0.1"} & set(allowed_hosts):
        return f"127.0.0.1:{port}"
    return allowed_hosts[0].lstrip(".")
