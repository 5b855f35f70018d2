"""Names of libraries that nobody promised us: each in a list, with the versions that they were tested with.

A new version may move any of them silently. So each library that is reached into has a module `patches.py` beside the code that
does it, with one `Library`; a process that needs one refuses an untested version when it starts, and a test walks all lists.
For a new version: install it, run the tests that `where` leads to, and add it to `tested`.

It imports the standard library only, so that the engine may use it as well, which knows no other module of the desk.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from types import CodeType
from typing import Any


class UntestedVersion(RuntimeError):
    """A library is installed in a version that nobody has tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateName:
    """`name` (dotted inside its module): where it is touched, why, and what comes of its absence.

    `parameters` are those that it is called or overridden with here; `attributes` those of its instances, which the code of the
    class has to name. `source` is the library's own issue or change, where there is one.
    """

    module: str
    name: str
    parameters: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    where: str
    why: str
    missing: str
    source: str = ""

    def fault(self) -> str | None:
        """What is no longer as it was; None when all is. Imports the module."""
        try:
            found: Any = importlib.import_module(self.module)
            for part in self.name.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError):
            return f"{self.module}.{self.name} is gone"
        taken = tuple(inspect.signature(found).parameters) if self.parameters else ()
        if missing := [name for name in self.parameters if name not in taken]:
            return f"{self.module}.{self.name} no longer takes {', '.join(missing)}"
        named = set(_names_in(found)) if self.attributes else set()
        if missing := [name for name in self.attributes if name not in named]:
            return f"{self.module}.{self.name} no longer has {', '.join(missing)}"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A library that is reached into. `tested` versions may be a beginning: "5.2" is every 5.2.x.

    `distributions` are the packages that it may come as; none of them installed is no fault here.
    """

    name: str
    distributions: tuple[str, ...]
    tested: tuple[str, ...]
    names: tuple[PrivateName, ...]

    def untested_version(self) -> str | None:
        """Why the installed one is refused, in one sentence; None when it is a tested one."""
        found = [each.partition("+")[0] for name in self.distributions if (each := installed(name))]
        wrong = [each for each in found if not any(f"{each}.".startswith(f"{tested}.") for tested in self.tested)]
        if not wrong:
            return None
        return (
            f"{self.name} {wrong[0]} is installed, but Glassdesk reaches into {self.name} and was tested with "
            f"{', '.join(self.tested)}: install the version that requirements/ pins."
        )


def at(
    module: str, *names: tuple[str, str], where: str, why: str, missing: str, source: str = ""
) -> tuple[PrivateName, ...]:
    """Several names of one module, each with its parameters in one string, that are touched for the same reason."""
    return tuple(
        PrivateName(
            module=module,
            name=name,
            parameters=tuple(parameters.split()),
            where=where,
            why=why,
            missing=missing,
            source=source,
        )
        for name, parameters in names
    )


def refuse_untested(*libraries: Library) -> None:
    """Raise UntestedVersion when one of them is installed in a version that nobody has tried."""
    for library in libraries:
        if sentence := library.untested_version():
            raise UntestedVersion(sentence)


def installed(distribution: str) -> str | None:
    """The version of an installed package."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _names_in(found: type) -> Iterator[str]:
    """The attributes of a class, and every name that its own code and that of its bases mentions."""
    for base in found.__mro__:
        for name, value in vars(base).items():
            yield name
            function = value.fget if isinstance(value, property) else inspect.unwrap(getattr(value, "__func__", value))
            if isinstance(code := getattr(function, "__code__", None), CodeType):
                yield from code.co_names
