"""Secrets that are made once and live in files that only their owner can read."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path


def password() -> str:
    """A random password that needs no quoting in a URL."""
    return secrets.token_urlsafe(32)


def master_key() -> str:
    """32 random bytes in base64, the form that GLASSDESK_MASTER_KEY takes."""
    return base64.b64encode(secrets.token_bytes(32)).decode("ascii")


def private_folder(path: Path) -> Path:
    """The folder, made if need be, with mode 0700."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def secret_file(path: Path, make: Callable[[], str] = password) -> str:
    """What the file says; a missing one is made by `make` first, with mode 0600.

    The file appears whole or not at all: an interrupted start leaves no empty key behind.
    """
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="ascii") as stream:
            stream.write(make() + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    path.chmod(0o600)
    return path.read_text(encoding="ascii").strip()
