"""Static files by whitenoise: compressed, some of them in bundles, in a chain of middleware that may wait without a thread.

Compressed copies and bundles are made once and kept in the data folder under a name of their content, so that the
program's own folder may be read-only and needs no build step.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Awaitable, Callable
from functools import cache, lru_cache
from inspect import isawaitable
from pathlib import Path
from typing import Any

import structlog
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest
from django.templatetags.static import static
from whitenoise.compress import Compressor
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from helpdesk.web.bundles import bundle_modules, bundle_styles

logger = structlog.get_logger(__name__)

# Smaller ones fit into one packet anyway.
WORTH_COMPRESSING_BYTES = 512


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """One middleware that only works in threads would make every request of an async view hold a thread while it waits."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.compressor = Compressor(quiet=True)
        super().__init__(get_response)
        for name in settings.STATIC_BUNDLES:
            path = _bundle(name)
            self.add_file_to_dictionary(f"{self.static_prefix}{_hashed(name, path)}", str(path))
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        return self.__acall__(request) if self.is_async else super().__call__(request)

    async def __acall__(self, request: HttpRequest) -> Any:
        response: Any | Awaitable[Any] = super().__call__(request)
        return await response if isawaitable(response) else response

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> Any:
        """The file beside its compressed copy."""
        file = super().get_static_file(path, url, stat_cache=stat_cache)
        copy = self._compressed(Path(path))
        if copy is None:
            return file
        headers = [(name, value) for name, value in file.alternatives[0][2] if name != "Content-Length"]
        return StaticFile(path, headers, stat_cache=None, encodings={"gzip": str(copy)})

    def immutable_file_test(self, path: str, url: str) -> bool:
        """Only a bundle has its content in its name."""
        return Path(path).parent == kept_folder()

    def _compressed(self, path: Path) -> Path | None:
        """The copy, or None where there is nothing to gain."""
        if not self.compressor.should_compress(path.name) or path.stat().st_size < WORTH_COMPRESSING_BYTES:
            return None
        content = path.read_bytes()
        target = kept_folder() / f"{hashlib.sha256(content).hexdigest()[:32]}.gz"
        if target.exists():
            return target
        smaller = self.compressor.compress_gzip(content)
        return keep(target, smaller) if len(smaller) < 0.95 * len(content) else None


def bundle_url(name: str) -> str:
    """Where a bundle of STATIC_BUNDLES is served now; another content has another address."""
    return static(_hashed(name, _bundle(name)))


@lru_cache(maxsize=1)
def kept_folder() -> Path:
    """Where copies and bundles are kept; a folder of this process alone where that cannot be written to."""
    folder = Path(settings.DATA_DIR) / "compressed"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        logger.warning("static_copies_not_kept", folder=str(folder))
        return Path(tempfile.mkdtemp(prefix="glassdesk-static-"))


def keep(target: Path, content: bytes) -> Path:
    """Write the file as a whole: several processes may start at once."""
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        file.write(content)
    Path(file.name).chmod(0o644)
    os.replace(file.name, target)
    return target


@cache
def _bundle(name: str) -> Path:
    """The bundle's file."""
    sources = settings.STATIC_BUNDLES[name]
    if isinstance(sources, str):
        text = bundle_modules(sources, _read)
    else:
        text = bundle_styles(sources, os.path.dirname(name), _read)
    content = text.encode()
    target = kept_folder() / f"{hashlib.sha256(content).hexdigest()[:32]}{Path(name).suffix}"
    return target if target.exists() else keep(target, content)


def _hashed(name: str, path: Path) -> str:
    stem, suffix = os.path.splitext(name)
    return f"{stem}-{path.stem[:12]}{suffix}"


def _read(name: str) -> str:
    found = finders.find(name)
    if found is None:
        raise FileNotFoundError(name)
    return Path(str(found)).read_text(encoding="utf-8")
