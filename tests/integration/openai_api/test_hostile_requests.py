"""Requests that make no sense, to the web process as it is deployed: every refusal has the documented body."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import Any

import httpx
import pytest

from helpdesk.tenants.models import Tenant
from tests.factories import make_api_key
from tests.integration.openai_api.conftest import Web

OPENAI, REST, BATCHES = "/v1/chat/completions", "/api/v1/conversations", "/api/v1/batches"
FORM = "multipart/form-data"
# Method, address, content type, body, status.
REQUESTS: list[tuple[str, str, str, bytes, int]] = [
    *((method, path, FORM, b"x", status) for method, path, status in [
        ("POST", OPENAI, 400), ("POST", REST, 415), ("POST", BATCHES, 415), ("POST", "/v1/nowhere", 404),
        ("POST", "/api/v1/nowhere", 404), ("DELETE", REST, 405), ("PUT", OPENAI, 405),
    ]),
    ("POST", REST, f"{FORM}; boundary=x", b"--y\r\n\r\n", 415),
    ("POST", OPENAI, f"{FORM}; boundary=", b"--\r\n", 400),
    ("POST", REST, "application/x-www-form-urlencoded", b"a=1&b=%ff", 415),
    ("POST", REST, "\u00e9/\u00ff", b"{}", 415),
    ("POST", REST, "application/json; charset=no-such", b'{"a":', 400),
    ("POST", REST, "application/json; charset=rot13", b'{"a":', 400),
    ("POST", REST, "application/json; charset=zlib", b"\x78\x9c", 400),
    ("POST", REST, "application/json", b'{"\\ud800": 1}', 400),
    ("POST", REST, "application/json", b'{"customer": "\\udfff"}', 400),
    ("POST", REST, "application/json", b'{"customer": "a\\u0000b"}', 400),
    ("POST", REST, "application/json", b'{"customer": "\xff"}', 400),
    ("POST", REST, "application/json", b'{"customer": ' + b"9" * 400 + b"}", 400),
    ("POST", REST, "application/json", b'{"customer": 1e400}', 400),
    ("POST", REST, "application/json", b'{"customer": -Infinity}', 400),
    ("POST", REST, "application/json", b"[" * 500_000, 400),
    ("POST", REST, "application/json", b"[]", 400),
    ("POST", REST, "application/json", b" " * (1024 * 1024 + 1), 413),
    ("POST", BATCHES, "application/x-ndjson", b'{"question": "\\ud800"}', 400),
    ("POST", BATCHES, "application/x-ndjson", b"x\n" * 100_000, 413),
    ("POST", f"{BATCHES}?name=%00", "application/x-ndjson", b'{"question": "a"}', 400),
    ("GET", "/v1", "", b"", 404),
    ("GET", "/v1/", "", b"", 404),
    ("GET", "/v1/models/%00", "", b"", 404),
    ("GET", "/v1/models/a%0Ab", "", b"", 404),
    ("GET", "/v1/models/%ED%A0%80/", "", b"", 404),
    ("GET", "/v1/models/" + "x" * 5000, "", b"", 404),
    ("GET", "/v1/%0a", "", b"", 404),
    ("PATCH", "/v1/models", "", b"", 405),
    ("GET", "/api", "", b"", 404),
    ("GET", "/api/v1/conversations/not-an-id", "", b"", 404),
    ("GET", "/api/v1/conversations/%00", "", b"", 404),
    ("TRACE", REST, "", b"", 405),
    ("NONSENSE", REST, "", b"", 405),
    ("GET", f"{REST}?limit={'9' * 5000}", "", b"", 400),
    ("GET", f"{REST}?limit=NaN", "", b"", 400),
    ("GET", f"{REST}?cursor=%00", "", b"", 400),
    ("GET", f"{REST}?cursor={'A' * 5000}", "", b"", 400),
    ("GET", f"{REST}?%ED%A0%80=1", "", b"", 400),
    ("GET", "/api/v1/stats?days=" + "1" * 5000, "", b"", 400),
    ("GET", "/api/v1/traces?since=0001-01-01&until=x", "", b"", 400),
    ("GET", "/api/v1/traces?model=%00", "", b"", 400),
    ("GET", "/api/v1/knowledge/articles?q=%00", "", b"", 400),
]  # fmt: skip


def chat(**fields: Any) -> bytes:
    body = {"model": "default", "messages": [{"role": "user", "content": "Hello"}]} | fields
    return json.dumps(body).encode()


CHATS = [
    chat().replace(b'"default"', b'"default", "temperature": ' + b"9" * 400),
    chat().replace(b'"default"', b'"default", "temperature": 1e400'),
    chat().replace(b'"default"', b'"default", "temperature": NaN'),
    chat().replace(b'"default"', b'"default", "seed": ' + b"9" * 5000),
    chat(temperature=True),
    chat(max_tokens=1.5),
    chat(n=10**30),
    chat(user="\ud800"),
    chat(user="a\x00"),
    chat(model="\udc00"),
    chat(stop=["\ud800"]),
    chat(stop=["\x00"]),
    chat(messages=[{"role": "user", "content": "\ud83d"}]),
    chat(messages=[{"role": ["user"], "content": "x"}]),
    chat(messages=[{"role": "user", "content": "x", "\ud800": 1}]),
    chat(**{"\ud800": 1}),
    chat(logit_bias=[]),
    chat(glassdesk=[]),
    chat(response_format={"type": ["text"]}),
    chat(
        response_format={"type": "json_schema", "json_schema": {"schema": {"$ref": "#"}}}, glassdesk={"grounded": False}
    ),
]


def check(response: httpx.Response, status: int) -> None:
    assert response.status_code == status, response.text[:500]
    error = response.json()["error"]
    assert error["code"]
    assert len(error["message"]) > 10
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"


def test_every_refusal_has_the_documented_body(web: Web, shop: Tenant) -> None:
    key = make_api_key(shop, requests_per_minute=100_000)
    with httpx.Client(base_url=web.url, headers={"Authorization": f"Bearer {key}"}) as client:
        for method, path, content_type, body, status in REQUESTS:
            headers = {"Content-Type": content_type.encode("latin-1")} if content_type else {}
            response = client.request(method, path, content=body, headers=headers)
            print(method, path[:80], content_type, body[:40])
            check(response, status)
        for body in CHATS:
            print(body[-200:])
            check(client.post(OPENAI, content=body), 400)


@pytest.mark.parametrize(
    "request_lines",
    [
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/v1/conversations HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"POST /api/v1/conversations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: odd\r\n\r\n",
        b"GET /api/v1/traces?x=\xff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /v1/\xff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost: x\r\nX-Odd: a\x00b\r\nConnection: close\r\n\r\n",
        b"NONSENSE\r\n\r\n",
    ],
)
def test_what_is_hardly_http_is_refused_in_the_same_shape(web: Web, request_lines: bytes) -> None:
    with socket.create_connection(("127.0.0.1", web.port), timeout=10) as connection:
        connection.sendall(request_lines)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400")
    if b"chunked" in head:
        body = body.split(b"\r\n")[1]
    error = json.loads(body)["error"]
    assert (error["code"], error["type"]) == ("invalid", "invalid_request_error")


@pytest.mark.parametrize("path", [OPENAI, BATCHES])
@pytest.mark.parametrize("framing", ["Content-Length: 99999999999", "Transfer-Encoding: chunked"])
def test_a_body_without_an_end_is_refused_before_it_fills_the_disk(web: Web, path: str, framing: str) -> None:
    piece = b"x" * 65536
    part = piece if "Length" in framing else b"10000\r\n" + piece + b"\r\n"
    sent, answer = 0, b""
    with socket.create_connection(("127.0.0.1", web.port), timeout=10) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n".encode())
        with contextlib.suppress(ConnectionError):
            while sent < 64 * 1024 * 1024:
                connection.sendall(part)
                sent += len(piece)
        with contextlib.suppress(ConnectionError):
            answer = connection.recv(65536)
    assert sent < 64 * 1024 * 1024
    assert not answer or json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "body_too_large"


@pytest.mark.parametrize("path", ["/v1/models/", "/v1/models/default/", "/v1/models"])
def test_addresses_are_the_same_with_a_slash_at_their_end(web: Web, shop: Tenant, path: str) -> None:
    headers = {"Authorization": f"Bearer {make_api_key(shop)}"}
    assert httpx.get(web.url + path, headers=headers).status_code == 200
    answer = httpx.post(f"{web.url}/v1/chat/completions/", content=chat(), headers=headers, timeout=60)
    assert (answer.status_code, answer.json()["object"]) == (200, "chat.completion")
