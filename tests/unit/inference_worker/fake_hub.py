"""A model hub on the loopback interface that does what a test wants wrong."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "maker/model"
REVISION = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class FakeHub:
    """`files` are small ones and `large` those with a sha256; the rest is what goes wrong.

    `cut_after` ends the connection behind so many bytes of a large file, `corrupt` changes them, `surplus` adds some,
    `slow` is seconds between kilobytes. `silent` never answers the question for the list, `refusing` is a status for
    everything, `missing` one for a large file. `ignores_range` sends the whole file always. `card` is what the model's
    card says, `asked` holds every request.
    """

    files: dict[str, bytes] = field(default_factory=lambda: {"config.json": b"{}", "tokenizer.json": b"[1]"})
    large: dict[str, bytes] = field(default_factory=lambda: {"model.safetensors": bytes(range(256)) * 400})
    cut_after: int | None = None
    corrupt: bool = False
    surplus: bytes = b""
    slow: float = 0.0
    silent: bool = False
    refusing: int = 0
    missing: int = 0
    ignores_range: bool = False
    redirects: bool = False
    extra: list[dict[str, Any]] = field(default_factory=list)
    card: dict[str, str] = field(default_factory=lambda: {"license": "other", "license_name": "maker-research"})
    endpoint: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)

    def listing(self) -> dict[str, Any]:
        """The hub's description of the model."""
        small = [
            {"rfilename": name, "size": len(data), "blobId": hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()}
            for name, data in self.files.items()
        ]
        large = [
            {
                "rfilename": name,
                "size": len(data),
                "blobId": "1" * 40,
                "lfs": {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "pointerSize": 130},
            }
            for name, data in self.large.items()
        ]
        siblings = [*small, *large, *self.extra]
        return {"id": MODEL, "sha": REVISION, "siblings": siblings, "cardData": self.card}


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub

    def do_GET(self) -> None:
        hub = self.hub
        hub.asked.append((self.path.partition("?")[0], self.headers.get("Range") or ""))
        if hub.refusing:
            self._send(hub.refusing, b"")
        elif self.path.startswith("/api/models/"):
            if hub.silent:
                hub.ending.wait()
                return
            self._send(200, json.dumps(hub.listing()).encode(), kind="application/json")
        elif hub.redirects and not self.path.startswith("/elsewhere"):
            self.send_response(302)
            self.send_header("Location", f"{hub.endpoint}/elsewhere{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._file(self.path.rpartition("/")[2])

    def _send(self, status: int, body: bytes, *, kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _file(self, name: str) -> None:
        hub = self.hub
        is_large = name in hub.large
        if is_large and hub.missing:
            self._send(hub.missing, b"")
            return
        data = hub.large[name] if is_large else hub.files[name]
        if is_large and hub.corrupt:
            data = bytes(reversed(data))
        if is_large:
            data += hub.surplus
        begin = 0
        if (wanted := self.headers.get("Range")) and not hub.ignores_range:
            begin = int(wanted.removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(data) - begin))
        self.end_headers()
        end = len(data) if hub.cut_after is None or not is_large else min(begin + hub.cut_after, len(data))
        for start in range(begin, end, 1024):
            self.wfile.write(data[start : min(start + 1024, end)])
            self.wfile.flush()
            if is_large and hub.slow and hub.ending.wait(hub.slow):
                return
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""


@contextmanager
def serving(hub: FakeHub) -> Iterator[FakeHub]:
    """The hub at `endpoint` for as long as the block lasts."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients leave in the middle on purpose
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.ending.set()
        server.shutdown()
        server.server_close()
        thread.join()
