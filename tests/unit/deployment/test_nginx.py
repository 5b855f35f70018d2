"""The proxy's limits against the desk's: nothing that the desk promises is refused, cut or kept back in front of it."""

from __future__ import annotations

import re

from django.conf import settings
from django.urls import resolve

from batches.api.views import BatchesView
from helpdesk.api.views import BODY_BYTES
from tests.conftest import ROOT

TEXT = re.sub(r"#.*", "", (ROOT / "deploy/nginx/glassdesk.conf").read_text(encoding="utf-8"))
BATCHES = r"location ~ ^/api/v1/batches/?$ {"
UNITS = {"k": 1024, "m": 1024**2, "g": 1024**3, "s": 1, "h": 3600}


def size(block: str, name: str) -> int:
    found = re.search(rf"\b{name}\s+(\d+)([kmg])\s*;", block)
    assert found
    return int(found[1]) * UNITS[found[2]]


def seconds(name: str) -> int:
    found = re.search(rf"\b{name}\s+(\d+)([smh])\s*;", TEXT)
    assert found
    return int(found[1]) * (60 if found[2] == "m" else UNITS[found[2]])


def block(opening: str) -> str:
    assert opening in TEXT
    return TEXT.partition(opening)[2].partition("}")[0]


def test_a_body_that_the_desk_takes_passes_the_proxy() -> None:
    everywhere = size(TEXT.partition("location")[0], "client_max_body_size")
    assert everywhere >= max(settings.DATA_UPLOAD_MAX_MEMORY_SIZE, BODY_BYTES)
    assert everywhere < settings.BATCH_MAX_BYTES


def test_a_batch_of_the_promised_size_passes_the_proxy() -> None:
    assert size(block(BATCHES), "client_max_body_size") > settings.BATCH_MAX_BYTES == BatchesView.max_body_bytes
    expression = re.compile(BATCHES.removeprefix("location ~ ").removesuffix(" {"))
    assert resolve("/api/v1/batches").func.cls is BatchesView
    assert expression.search("/api/v1/batches")
    assert not expression.search("/api/v1/batches/1/results")


def test_no_location_forgets_the_headers_of_the_others() -> None:
    """A location that sets one header of its own inherits none of the server's."""
    for name in ("Host", "X-Forwarded-For", "X-Forwarded-Proto", "Upgrade", "Connection"):
        assert len(re.findall(rf"proxy_set_header {name}\s", TEXT)) == 1
    locations = TEXT[TEXT.index("location / {") :]
    assert "proxy_set_header" not in locations
    assert locations.count("proxy_pass $web;") == 2


def test_strangers_cannot_say_who_they_are() -> None:
    assert re.search(r"X-Forwarded-For\s+\$remote_addr;", TEXT)
    assert "$proxy_add_x_forwarded_for" not in TEXT


def test_sockets_and_streams_pass_at_once_and_stay_open() -> None:
    assert re.search(r"map \$http_upgrade \$connection_header \{\s+default upgrade;\s+''\s+'';", TEXT)
    assert re.search(r"Upgrade\s+\$http_upgrade;", TEXT)
    assert re.search(r"Connection\s+\$connection_header;", TEXT)
    assert "proxy_http_version 1.1;" in TEXT
    assert re.search(r"proxy_buffering\s+off;", TEXT)
    assert "text/event-stream" not in TEXT
    assert seconds("proxy_read_timeout") > max(settings.REPLY_DEADLINE_SECONDS, settings.API_VERIFY_SECONDS)


def test_metrics_and_queries_stay_inside() -> None:
    assert "return 404;" in block("location = /metrics {")
    log_format = re.search(r"log_format without_query (.+);", TEXT)
    assert log_format
    assert not re.search(r"\$(?:request|request_uri|args|query_string)\b", log_format[1])
