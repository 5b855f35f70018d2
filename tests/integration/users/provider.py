"""A company's OpenID Connect provider for tests: it says what a test has it say about whoever comes with a code."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from django.test import Client

CLIENT, SECRET = "glassdesk", "tests-only-client-secret-0123456789"


@dataclass
class Provider:
    """What it answers with; `changed` replaces claims of the ID token, `page` those of its page about the person."""

    url: str
    changed: dict[str, Any] = field(default_factory=dict)
    page: dict[str, Any] = field(default_factory=dict)
    challenge: str = ""

    def app(self, company: str) -> dict[str, Any]:
        return {
            "provider_id": company,
            "name": f"{company} ID",
            "client_id": CLIENT,
            "secret": SECRET,
            "settings": {"server_url": self.url},
        }

    def claims(self, **more: Any) -> dict[str, Any]:
        now = int(time.time())
        return {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 60, "sub": "p-1"} | more | self.changed

    def sign_in(self, client: Client, company: str, *, state: str | None = None) -> Any:
        """What a browser does: to the provider and back. The answer of the callback."""
        begun = client.get(f"/accounts/company/{company}/")
        asked = parse_qs(urlsplit(begun["Location"]).query)
        self.challenge = asked["code_challenge"][0]
        sent = asked["state"][0] if state is None else state
        return client.get(f"/accounts/company/{company}/callback/", {"code": "once", "state": sent})


@contextmanager
def running_provider() -> Iterator[Provider]:
    """On a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            url = provider.url
            if "openid-configuration" in self.path:
                self.reply(
                    {
                        "issuer": url,
                        "authorization_endpoint": f"{url}/authorize",
                        "token_endpoint": f"{url}/token",
                        "userinfo_endpoint": f"{url}/userinfo",
                        "jwks_uri": f"{url}/keys",
                        "token_endpoint_auth_methods_supported": ["client_secret_post"],
                    }
                )
            else:
                self.reply(provider.page or {"sub": provider.claims()["sub"]})

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
            proven = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == provider.challenge
            assert (form["client_secret"], form["code"], proven) == ([SECRET], ["once"], True)
            token = jwt.encode(provider.claims(), "k" * 32, algorithm="HS256")
            self.reply({"access_token": "a", "token_type": "Bearer", "id_token": token})

        def reply(self, body: dict[str, Any]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = Provider(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
