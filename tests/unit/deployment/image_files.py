"""What `COPY . .` would put into an image: the files that git holds, less what .dockerignore leaves out."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import PurePosixPath

from django.conf import settings

from tests.conftest import ROOT


def tracked_files() -> list[str]:
    """All files of the project, also those that are not committed yet."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return sorted(path for path in listed if path and (ROOT / path).is_file())


def image_files() -> list[str]:
    """The project's files in an image."""
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    return [path for path in tracked_files() if not is_ignored(path, rules)]


def is_ignored(path: str, rules: str) -> bool:
    """Docker's rule: the last pattern that matches the path or a folder above it decides; `!` takes it back in."""
    ignored = False
    for line in rules.splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        expression = _expression(pattern.lstrip("!").strip("/"))
        parts = PurePosixPath(path).parts
        if any(expression.fullmatch("/".join(parts[:length])) for length in range(1, len(parts) + 1)):
            ignored = not pattern.startswith("!")
    return ignored


def _expression(pattern: str) -> re.Pattern[str]:
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meaning.get(piece, re.escape(piece)) for piece in pieces))


# Makes a file that the product ships; who imports it all the same would need it in an image.
NEVER_RUN = {"training"}


def product_packages() -> set[str]:
    """The project's own packages by every list that names them: settings, the import contracts, the imports themselves."""
    own = {path.partition("/")[0] for path in tracked_files() if re.fullmatch(r"[a-z_]+/__init__\.py", path)}
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    named = set(contracts["root_packages"])
    installed = {app.partition(".")[0] for app in settings.INSTALLED_APPS} & own
    found = (named - NEVER_RUN) | installed
    while True:
        imported = {name for package in found for name in imports_of(package)} & own
        if imported <= found:
            return found
        found |= imported


def imports_of(package: str) -> set[str]:
    """The top-level names that the package's modules import, wherever in them."""
    names: set[str] = set()
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names)
