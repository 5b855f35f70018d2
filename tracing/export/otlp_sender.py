"""Sending spans over OTLP/HTTP, to the one address that somebody named for it."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

TRACES_PATH = "/v1/traces"
TIMEOUT_SECONDS = 10.0
PORTS = {"http": 80, "https": 443}


class EndpointTrouble(RuntimeError):
    """The receiver cannot be reached, or refused."""


class OtlpSender:
    """A receiver of spans. An address without a path gets OTLP's own; headers come from OTEL_EXPORTER_OTLP_HEADERS."""

    def __init__(self, endpoint: str, *, timeout: float = TIMEOUT_SECONDS) -> None:
        parts = urlsplit(endpoint)
        if parts.scheme not in PORTS or not parts.hostname:
            raise EndpointTrouble("--endpoint is no http or https address.")
        self.address = (parts.hostname, parts.port or PORTS[parts.scheme])
        self.url = endpoint if parts.path.strip("/") else parts._replace(path=TRACES_PATH).geturl()
        # A name and password in the address are for the receiver alone.
        self.name = f"{parts.scheme}://{parts.hostname}:{self.address[1]}{urlsplit(self.url).path}"
        self.timeout = timeout
        self._exporter = OTLPSpanExporter(endpoint=self.url, timeout=timeout)

    def check(self) -> None:
        """Raises EndpointTrouble when nobody listens: to be asked before anything is opened and logged."""
        try:
            socket.create_connection(self.address, timeout=self.timeout).close()
        except OSError as error:
            raise EndpointTrouble(f"{self.name} cannot be reached: {error}.") from None

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        """Raises EndpointTrouble when the receiver did not take them."""
        if self._exporter.export(spans) is not SpanExportResult.SUCCESS:
            raise EndpointTrouble(f"{self.name} did not take the spans; the log says why.")

    def close(self) -> None:
        """No more spans."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]
