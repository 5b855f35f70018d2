"""Several static files as one, so that a page asks for one script and one style sheet instead of one for each module.

No tool and no build step: our modules import and export in a few plain forms only, and whatever else is met is refused.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

Read = Callable[[str], str]

_IMPORT = re.compile(
    r'^import\s+(?:(?P<default>\w+)|\{(?P<names>[^}]*)\}|\*\s+as\s+(?P<all>\w+))\s+from\s+"(?P<source>[^"]+)";$',
    re.MULTILINE,
)
_EXPORT = re.compile(r"^export\s+(?=(?:async\s+)?(?:function\*?|class|const)\s+(?P<name>\w+))", re.MULTILINE)
_DEFAULT = re.compile(r"^export\s+default\s+", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*$|\bimport\s*(?:\(|\.meta)", re.MULTILINE)
_URL = re.compile(r'url\("(?!data:|/|https?:)([^"]+)"\)')


class Unbundled(ValueError):
    """A module is written in a form that is not understood here."""


def bundle_modules(entry: str, read: Read) -> str:
    """One module that does what `entry` does, with everything that it imports. Raises Unbundled.

    Each module keeps a scope of its own; what it exports is what the importing ones take from its result.
    """
    parts: dict[str, str] = {}
    _add(entry, read, parts, below=())
    body = parts.pop(entry)
    return "\n".join([*parts.values(), body])


def bundle_styles(names: list[str], place: str, read: Read) -> str:
    """The style sheets in this order, as one in the folder `place`: their relative addresses are turned accordingly."""
    return "\n".join(_moved(name, place, read(name)) for name in names)


def _add(name: str, read: Read, parts: dict[str, str], *, below: tuple[str, ...]) -> None:
    if name in below:
        raise Unbundled(f"{name} imports itself by way of {' and '.join(below[below.index(name) :])}")
    if name in parts:
        return
    source, taken = read(name), []
    for found in _IMPORT.finditer(source):
        other = posixpath.normpath(posixpath.join(posixpath.dirname(name), found["source"]))
        _add(other, read, parts, below=(*below, name))
        taken.append(_taken(found, other))
    source = _IMPORT.sub("", source)
    exported = [found["name"] for found in _EXPORT.finditer(source)]
    source = _EXPORT.sub("", source)
    if _DEFAULT.search(source):
        source = _DEFAULT.sub("const standard = ", source)
        exported.append("default: standard")
    if strange := _OTHER.search(source):
        raise Unbundled(f"{name}: “{strange[0]}”")
    body = "\n".join([*taken, source.strip()])
    if below:
        parts[name] = f"const {_variable(name)} = (() => {{\n{body}\nreturn {{ {', '.join(exported)} }};\n}})();"
    else:
        # A block, not a function: the entry may wait for something.
        parts[name] = f"{{\n{body}\n}}\n"


def _taken(found: re.Match[str], other: str) -> str:
    """What stands in the place of an import."""
    if found["all"]:
        return f"const {found['all']} = {_variable(other)};"
    names = f"default: {found['default']}" if found["default"] else re.sub(r"\s+as\s+", ": ", found["names"].strip())
    return f"const {{ {names} }} = {_variable(other)};"


def _variable(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name.removesuffix(".js"))


def _moved(name: str, place: str, source: str) -> str:
    folder = posixpath.dirname(name)

    def moved(found: re.Match[str]) -> str:
        return f'url("{posixpath.relpath(posixpath.join(folder, found[1]), place)}")'

    return _URL.sub(moved, source)
