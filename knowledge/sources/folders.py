"""What a folder of articles holds: the Markdown files in it, and everything else by the reason why it is not read."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from knowledge.sources.article_files import MAX_PATH_CHARACTERS

ENDINGS = (".md", ".markdown", ".mdx")


@dataclass(slots=True)
class Contents:
    """Files by their path relative to the folder, in reading order, which is the identity of what is in them.

    `refused` are Markdown files (or folders) that are not read, with the reason; `others` counts other files by ending.
    """

    files: dict[str, Path] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)


def look_through(folder: Path) -> Contents:
    """Everything in the folder and its subfolders. Links are followed only to files that are in the folder themselves."""
    contents = Contents()
    inside = folder.resolve()
    for file in _walk(folder, contents):
        path = unicodedata.normalize("NFC", file.relative_to(folder).as_posix())
        if any(part.startswith(".") for part in file.relative_to(folder).parts):
            contents.others["hidden"] += 1
        elif file.suffix.lower() not in ENDINGS:
            contents.others[file.suffix.lower() or "without ending"] += 1
        elif reason := _refusal(file, path, inside, contents):
            contents.refused.append((path, reason))
        else:
            contents.files[path] = file
    return contents


def printable(path: str) -> str:
    """The path as any terminal takes it."""
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


def _walk(folder: Path, contents: Contents) -> Iterator[Path]:
    def note(error: OSError) -> None:
        place = Path(str(error.filename)).relative_to(folder).as_posix()
        contents.refused.append((place, f"it cannot be opened ({error.strerror})"))

    for place, folders, names in os.walk(folder, onerror=note):
        folders.sort()
        for name in list(folders):
            if name.startswith("."):
                folders.remove(name)
                contents.others["hidden"] += 1
            elif (linked := Path(place, name)).is_symlink():
                contents.refused.append((linked.relative_to(folder).as_posix(), "it is a link to a folder"))
        yield from (Path(place, name) for name in sorted(names))


def _refusal(file: Path, path: str, inside: Path, contents: Contents) -> str:
    """Why the Markdown file is not read; empty when it is."""
    if path != printable(path):
        return "its name is not UTF-8; rename it"
    if path in contents.files:
        return "another file has the same name with its accents written in another way; rename one"
    if len(path) > MAX_PATH_CHARACTERS:
        return f"its path has {len(path)} characters; the limit is {MAX_PATH_CHARACTERS}: use shorter names"
    if any(ord(character) < 32 for character in path):
        return "its name has a control character; rename it"
    if file.is_symlink():
        return _refusal_of_link(file, inside)
    return ""


def _refusal_of_link(file: Path, inside: Path) -> str:
    try:
        target = file.resolve(strict=True)
    except (OSError, RuntimeError):
        return "it is a link to nothing"
    if not target.is_relative_to(inside):
        return "it is a link out of the folder; put the file itself there"
    parts = target.relative_to(inside).parts
    if target.suffix.lower() in ENDINGS and not any(part.startswith(".") for part in parts):
        return f"it is a link to {'/'.join(parts)}, which is read"
    return ""
