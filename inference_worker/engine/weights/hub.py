"""A model from a hub as a checkpoint folder: resumed where it was cut, and checked file by file.

The hub's own list says what a model's files are: sha256 for large files, git's object name for small ones. A folder
appears under its final name only when all of them came and are right. `HF_ENDPOINT` (a mirror), `HF_TOKEN` and
`HF_HUB_OFFLINE` work as everywhere.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inference_worker.engine.weights.packaged import (
    LAYOUT_VERSION,
    MANIFEST,
    PackagedWeightsError,
    Progress,
    check_disk,
    exclusive,
    read_manifest,
    silent,
)

STRONGER = "Qwen/Qwen2.5-1.5B-Instruct-GPTQ-Int4"
MANY_CORES = 8  # of a CPU that is quick enough for it
STRONGER_HINT = (
    f"The packaged model quotes and writes nothing of its own. {STRONGER} (1.2 GB from the hub, Apache-2.0) would also "
    f"write answers in English and Chinese: it is taken on a GPU, with {MANY_CORES} cores, or when "
    f"GLASSDESK_CHAT_MODEL={STRONGER} is set."
)
# Weights without code in them, and what describes them.
SUFFIXES = frozenset({".safetensors", ".json", ".txt", ".jinja", ".model"})
SPARE_BYTES = 500_000_000
# As models' cards name them. What else a card names may forbid a company's use: it is taken only when somebody asks for it.
FREE_LICENSES = frozenset({"apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause"})
SMALL_FILE_BYTES = 50_000_000  # what git itself holds on a hub is far smaller


class HubError(PackagedWeightsError):
    """The model cannot be had from the hub now; the message says why, as a part of a sentence."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the hub is (None: where `HF_ENDPOINT` says), and how long it is waited for.

    Seconds: for the list of files, for the next bytes of a file, and for a whole model at the speed so far, of which
    nothing is thought in the first `trial` seconds.
    """

    endpoint: str | None = None
    answer: float = 5.0
    silence: float = 15.0
    whole: float = 3600.0
    trial: float = 30.0


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a model. `digest` is a sha256, or for a small file git's name of its contents (SHA-1)."""

    name: str
    size: int
    digest: str
    is_large: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """A model's files at one revision (a commit)."""

    model: str
    revision: str
    license: str
    files: tuple[HubFile, ...]


def is_hub_name(setting: str) -> bool:
    """Whether a model setting has the form of a hub's names, `owner/model`, and is no path."""
    return (
        setting.count("/") == 1 and not setting.startswith(("/", ".", "~")) and not Path(setting).expanduser().exists()
    )


def downloaded(cache: Path, model: str, revision: str = "") -> Path | None:
    """The finished folder of a hub's model, None when there is none (of that revision, where one is named)."""
    folder = _target(cache, model)
    manifest = read_manifest(folder)
    if manifest is None or manifest.get("model") != model or (revision and manifest.get("hub_revision") != revision):
        return None
    return folder


def download(
    cache: Path,
    model: str,
    *,
    revision: str = "",
    progress: Progress = silent,
    access: Access | None = None,
    only_free: bool = False,
) -> Path:
    """The checkpoint folder of a hub's model; one that is there already is taken without asking the hub.

    Raises HubError when the hub does not answer, refuses, is too slow, or sends something else than it lists, and with
    `only_free` when the model's card names no licence that is known to be free. What came is kept, and the next call
    goes on from there.
    """
    if there := downloaded(cache, model, revision):
        _require_free(license_of(there), when=only_free)
        return there
    access = access or Access()
    progress("asking the hub", 0.0)
    listing = list_files(model, revision, access)
    _require_free(listing.license, when=only_free)
    target = _target(cache, model)
    with exclusive(target.parent):
        if there := downloaded(cache, model, listing.revision):
            return there
        draft = cache.expanduser() / "downloads" / target.name / listing.revision
        draft.mkdir(parents=True, exist_ok=True)
        total = sum(file.size for file in listing.files)
        clock = _Clock(total=total, access=access, progress=progress)
        missing = [file for file in listing.files if not _is_whole(draft / file.name, file)]
        clock.begin(total - sum(file.size for file in missing))
        check_disk(draft, needed=sum(file.size for file in missing) + SPARE_BYTES)
        for file in missing:
            _fetch(listing, file, draft, clock, access=access)
        _finish(listing, draft, target)
    return target


def list_files(model: str, revision: str, access: Access) -> Listing:
    """What the hub says that the model consists of. Raises HubError."""
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    if constants.HF_HUB_OFFLINE:
        raise HubError("HF_HUB_OFFLINE is set")
    answer: list[Any] = []

    def ask() -> None:
        try:
            answer.append(
                HfApi(endpoint=access.endpoint).model_info(
                    model, revision=revision or None, files_metadata=True, timeout=access.answer
                )
            )
        except Exception as error:  # handed to the caller's thread
            answer.append(error)

    # Looking a name up, and bytes that drip, know no limit of time; a thread that hangs in them is left behind.
    asking = threading.Thread(target=ask, name="hub", daemon=True)
    asking.start()
    asking.join(access.answer)
    if not answer:
        raise HubError(f"the hub did not answer within {access.answer:.0f} seconds")
    info = answer[0]
    if isinstance(info, HfHubHTTPError):
        raise HubError(f"the hub refused it (HTTP {info.response.status_code})") from info
    if isinstance(info, OfflineModeIsEnabled):
        raise HubError("HF_HUB_OFFLINE is set") from info
    if isinstance(info, ValueError):
        raise HubError("that is no name of a hub's model, or no answer of a hub") from info
    if isinstance(info, Exception):
        raise HubError("the hub cannot be reached") from info
    return _listing(model, info)


def _listing(model: str, info: Any) -> Listing:
    files = tuple(
        HubFile(
            name=sibling.rfilename,
            size=int(sibling.size or 0),
            digest=str(sibling.lfs.sha256 if sibling.lfs else sibling.blob_id),
            is_large=sibling.lfs is not None,
        )
        for sibling in info.siblings or ()
        # No folders, hence no way out of ours; nothing that is a program or could hold one.
        if "/" not in sibling.rfilename
        and "\\" not in sibling.rfilename
        and Path(sibling.rfilename).suffix in SUFFIXES
        and sibling.rfilename != MANIFEST
    )
    names = {file.name for file in files}
    revision = str(info.sha or "")
    if not revision.isalnum() or "config.json" not in names or not any(name.endswith(".safetensors") for name in names):
        raise HubError("what the hub lists is no checkpoint with safetensors")
    card = info.card_data.to_dict() if info.card_data else {}
    # `other` is what a card says whose licence has a name of its own.
    name = (card.get("license_name") if card.get("license") in {None, "other"} else None) or card.get("license")
    return Listing(model=model, revision=revision, license=str(name or "unknown"), files=files)


def license_of(folder: Path) -> str:
    """The licence that a model's card named when it was fetched."""
    return str((read_manifest(folder) or {}).get("license") or "unknown")


def is_free(license: str) -> bool:
    """Whether a licence, as a card names it, is known to leave every use free."""
    return license.lower() in FREE_LICENSES


def _require_free(license: str, *, when: bool) -> None:
    if when and not is_free(license):
        raise HubError(f"its licence is {license}, and such a model is taken only when GLASSDESK_CHAT_MODEL names it")


class _Clock:
    """Tells how far the whole model is, and when it would take too long."""

    def __init__(
        self,
        *,
        total: int,
        access: Access,
        progress: Progress,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total, self._access, self._progress, self._now = total, access, progress, now
        self._here = self._begun_with = 0
        self._begun = now()

    def begin(self, here: int) -> None:
        """Bytes that need not be fetched."""
        self._here = self._begun_with = here
        self._begun = self._now()

    def add(self, received: int, *, is_new: bool = True) -> None:
        """Bytes that came, or were there (not new). Raises HubError when the rest would take too long."""
        self._here += received
        if not is_new:
            self._begun_with += received
        self._progress("from the hub", min(self._here / max(self._total, 1), 1.0))
        seconds = self._now() - self._begun
        if seconds > self._access.trial:
            left = (self._total - self._here) * seconds / max(self._here - self._begun_with, 1)
            if left > self._access.whole:
                raise HubError("the hub is too slow now")


def _fetch(listing: Listing, file: HubFile, draft: Path, clock: _Clock, *, access: Access) -> None:
    """Fetch the file, from where an earlier try ended. Raises HubError."""
    import httpx2
    from huggingface_hub import get_session, hf_hub_url
    from huggingface_hub.utils import build_hf_headers

    target, partial = draft / file.name, draft / f"{file.name}.incomplete"
    begun = partial.stat().st_size if partial.is_file() else 0
    if begun > file.size:
        partial.unlink()
        begun = 0
    headers = dict(build_hf_headers()) | {"Accept-Encoding": "identity"}
    if begun:
        headers["Range"] = f"bytes={begun}-"
    address = hf_hub_url(listing.model, file.name, revision=listing.revision, endpoint=access.endpoint)
    try:
        if begun < file.size or not file.size:
            with get_session().stream("GET", address, headers=headers, timeout=access.silence) as response:
                if response.status_code not in {200, 206}:
                    raise HubError(f"the hub refused {file.name} (HTTP {response.status_code})")
                if response.status_code == 200:
                    begun = 0
                clock.add(begun, is_new=False)
                _write(response, partial, file, clock, keep=begun)
    except httpx2.HTTPError as error:
        raise HubError(f"the connection to the hub ended at {file.name}") from error
    if partial.stat().st_size < file.size:
        raise HubError(f"the connection to the hub ended at {file.name}")
    if not _is_whole(partial, file):
        partial.unlink()
        raise HubError(f"what the hub sent as {file.name} is not what it lists")
    partial.replace(target)


def _write(response: Any, partial: Path, file: HubFile, clock: _Clock, *, keep: int) -> None:
    """Append what comes behind the first `keep` bytes, never more than the file has."""
    with partial.open("r+b" if keep else "wb") as stream:
        stream.seek(keep)
        stream.truncate()
        left = file.size - keep
        for block in response.iter_bytes():
            if len(block) > left:
                raise HubError(f"the hub sends more of {file.name} than it lists")
            stream.write(block)
            left -= len(block)
            clock.add(len(block))


def _is_whole(path: Path, file: HubFile) -> bool:
    """Whether the file is there, and is what the hub lists."""
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    with path.open("rb") as stream:
        if file.is_large:
            return hashlib.file_digest(stream, "sha256").hexdigest() == file.digest
        if file.size > SMALL_FILE_BYTES:
            return False
        # The name that git gives these contents: no secret, and not ours to choose.
        found = hashlib.sha1(b"blob %d\0" % file.size + stream.read(), usedforsecurity=False)
        return found.hexdigest() == file.digest


def _finish(listing: Listing, draft: Path, target: Path) -> None:
    """Give the folder its name; everything in it has been checked."""
    manifest = {
        "model": listing.model,
        "license": listing.license,
        "hub_revision": listing.revision,
        "files": {file.name: file.digest for file in listing.files},
        "layout_version": LAYOUT_VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    (draft / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")
    if target.exists():
        shutil.rmtree(target)
    draft.rename(target)
    shutil.rmtree(draft.parent, ignore_errors=True)


def _target(cache: Path, model: str) -> Path:
    return cache.expanduser() / "checkpoints" / f"hub--{model.replace('/', '--')}"
