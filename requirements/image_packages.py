#!/usr/bin/env python3
"""Print the packages of a lock file that a container image installs: all but those of not-in-images.txt.

Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main() -> int:
    """Print one requirement a line, in the order of the lock."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", choices=("cpu", "gpu"))
    parser.add_argument("--only", metavar="PACKAGE", help="nothing but this package")
    parser.add_argument("--without", metavar="PACKAGE", help="all but this package")
    options = parser.parse_args()
    for requirement in image_packages(options.engine):
        name = normal(requirement)
        if name == (options.only or name) and name != options.without:
            sys.stdout.write(f"{requirement}\n")
    return 0


def image_packages(engine: str) -> list[str]:
    """The lock's requirements without those that only development needs."""
    left_out = {normal(line) for line in _lines("not-in-images.txt")}
    return [line for line in _lines(f"{engine}.lock") if normal(line) not in left_out]


def normal(requirement: str) -> str:
    """The package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s=<>!~\[;@]", requirement, maxsplit=1)[0]).lower()


def _lines(name: str) -> list[str]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


if __name__ == "__main__":
    sys.exit(main())
