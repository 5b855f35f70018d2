"""Compile the translations that changed: locale/**/*.po -> *.mo. The compiled files are not committed."""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

PROJECT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Compile every catalogue that is newer than its result; returns the exit code."""
    for source in sorted(PROJECT.glob("**/locale/*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        try:
            with open(source, "rb") as stream:
                catalogue = read_po(stream, abort_invalid=True)
        except (PoFileError, UnicodeDecodeError) as error:
            sys.stderr.write(f"{source.relative_to(PROJECT)} cannot be compiled: {error}\n")
            return 1
        draft = target.with_suffix(".mo.new")
        with open(draft, "wb") as stream:
            write_mo(stream, catalogue)
        draft.replace(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
