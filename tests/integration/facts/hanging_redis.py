"""A Redis that hangs: it accepts connections, reads nothing and answers nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hanging_redis() -> Iterator[str]:
    """Its address; whoever waited for it is let go at the end."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"
