"""Where the export command writes: a file, a folder, standard output, or an OTLP receiver."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from django.core.management.base import CommandError, OutputWrapper

from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tracing.export.html import trace_page
from tracing.export.rows import ExportedTrace
from tracing.export.streams import Layout, csv_layout, jsonl_layout

FORMATS = ("jsonl", "csv", "html", "otlp")


class Target(Protocol):
    """Takes one trace after another."""

    @property
    def name(self) -> str:
        """What to call it in a sentence."""

    def write(self, exported: ExportedTrace) -> None:
        """Raises CommandError when it cannot be written."""


@contextmanager
def open_target(options: dict[str, Any], *, tenant: Tenant, stdout: OutputWrapper) -> Iterator[Target]:
    """The target that the options name, ready before anything is opened. Raises CommandError."""
    kind, out, endpoint = options["format"], options["out"], options["endpoint"]
    if endpoint and kind != "otlp":
        raise CommandError(f"--endpoint is for otlp; {kind} goes to --out.")
    if kind == "otlp":
        if not endpoint or out:
            raise CommandError("otlp goes to a receiver: name it with --endpoint, without --out.")
        with _receiver(endpoint, tenant) as receiver:
            yield receiver
    elif kind == "html":
        yield PageFolder(_folder(out), tenant)
    else:
        layout = csv_layout() if kind == "csv" else jsonl_layout(tenant.slug)
        with _line_file(out, layout, stdout) as file:
            yield file


class LineFile:
    """All traces in one file."""

    def __init__(self, name: str, file: IO[bytes], layout: Layout) -> None:
        self.name, self._file, self._layout = name, file, layout
        file.write(layout.head)

    def write(self, exported: ExportedTrace) -> None:
        """One line."""
        self._file.write(self._layout.encode(exported))


class PageFolder:
    """One file for each trace."""

    def __init__(self, folder: Path, tenant: Tenant) -> None:
        self.name, self._folder, self._tenant = str(folder), folder, tenant

    def write(self, exported: ExportedTrace) -> None:
        """One page."""
        with tenant_atomic(self._tenant.id):
            page = trace_page(exported, tenant=self._tenant.slug)
        file = self._folder / f"glassdesk-{self._tenant.slug}-trace-{exported.trace.sequence}.html"
        with open(file, "wb", opener=_private) as stream:
            stream.write(page)


class _Receiver:
    def __init__(self, sender: Any, tenant: Tenant) -> None:
        self.name, self._sender, self._tenant = sender.name, sender, tenant

    def write(self, exported: ExportedTrace) -> None:
        from tracing.export.otlp import spans_of
        from tracing.export.otlp_sender import EndpointTrouble

        try:
            self._sender.send(spans_of(exported, tenant=self._tenant.slug))
        except EndpointTrouble as error:
            raise CommandError(f"{error} Stopped at trace #{exported.trace.sequence}.") from None


@contextmanager
def _receiver(endpoint: str, tenant: Tenant) -> Iterator[Target]:
    # Loaded only for this format: nothing else needs OpenTelemetry.
    from tracing.export.otlp_sender import EndpointTrouble, OtlpSender

    try:
        sender = OtlpSender(endpoint)
        sender.check()
    except EndpointTrouble as error:
        raise CommandError(f"{error} Nothing was opened.") from None
    try:
        yield _Receiver(sender, tenant)
    finally:
        sender.close()


def _folder(out: str | None) -> Path:
    if not out:
        raise CommandError("html makes one file for each trace: name a folder with --out.")
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"{folder} cannot be made a folder: {error.strerror}.") from None
    return folder


@contextmanager
def _line_file(out: str | None, layout: Layout, stdout: OutputWrapper) -> Iterator[Target]:
    if not out or out == "-":
        yield LineFile("standard output", _Bytes(stdout), layout)  # type: ignore[arg-type]
        return
    with ExitStack() as opened:
        try:
            file = opened.enter_context(open(out, "wb", opener=_private))
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}.") from None
        yield LineFile(out, file, layout)


class _Bytes:
    """Bytes onto a stream of text."""

    def __init__(self, stream: OutputWrapper) -> None:
        self._stream = stream

    def write(self, data: bytes) -> None:
        self._stream.write(data.decode(), ending="")


def _private(path: str, flags: int) -> int:
    """Readable for their owner alone: these files hold what the desk keeps sealed."""
    return os.open(path, flags, 0o600)
