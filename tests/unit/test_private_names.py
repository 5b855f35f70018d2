"""What is reached into in libraries is still there, stands in a list, and a version that nobody has tried is refused."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk import checks, private_names
from helpdesk.private_names import Library, PrivateName, UntestedVersion, refuse_untested
from tests.conftest import ROOT
from tests.test_architecture import SOURCE_FOLDERS

# Documented, whatever their underscore says: https://docs.djangoproject.com/en/5.2/topics/db/managers/, namedtuple, Model._meta.
PUBLIC = {"_meta", "_db", "_replace"}


def module_files() -> list[Path]:
    return [
        path
        for folder in SOURCE_FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "migrations" not in path.parts
    ]


def libraries() -> list[Library]:
    """All, from every module of patches that there is."""
    files = [path.relative_to(ROOT) for path in module_files() if path.stem.endswith("patches")]
    modules = [importlib.import_module(".".join(path.with_suffix("").parts)) for path in files]
    return [value for module in modules for value in vars(module).values() if isinstance(value, Library)]


LIBRARIES = libraries()
NAMES = [name for library in LIBRARIES for name in library.names]


def test_each_library_has_one_list() -> None:
    names = sorted(library.name for library in LIBRARIES)
    assert names == [
        "Autobahn",
        "Daphne",
        "Django",
        "Django REST framework",
        "PyTorch",
        "Twisted",
        "asgiref",
        "kombu",
        "vLLM",
    ]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: f"{name.module}.{name.name}")
def test_a_name_that_is_touched_is_where_it_was(name: PrivateName) -> None:
    assert name.fault() is None


def test_each_name_says_where_it_is_touched_and_what_its_absence_does() -> None:
    assert [name.name for name in NAMES if "" in {name.where, name.why, name.missing}] == []


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.name)
def test_the_installed_version_is_a_tested_one(library: Library) -> None:
    assert library.untested_version() is None


def private_name(
    name: str, *, module: str = "queue", parameters: tuple[str, ...] = (), attributes: tuple[str, ...] = ()
) -> PrivateName:
    return PrivateName(
        module=module, name=name, parameters=parameters, attributes=attributes, where="here", why="so", missing="so"
    )


def test_a_name_that_moved_or_changed_is_told() -> None:
    names = [
        private_name("NoSuchQueue"),
        private_name("Queue", module="no_such_module"),
        private_name("Queue.put", parameters=("item", "urgency")),
        private_name("Queue", attributes=("unfinished_tasks", "overfinished_tasks")),
        private_name("Queue.put", parameters=("item", "block")),
        private_name("Queue", attributes=("mutex", "_qsize")),
    ]
    assert [each.fault() for each in names] == [
        "queue.NoSuchQueue is gone",
        "no_such_module.Queue is gone",
        "queue.Queue.put no longer takes urgency",
        "queue.Queue no longer has overfinished_tasks",
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("installed", "is_refused"),
    [
        ("1.2.0", False),
        ("1.2.0+cpu", False),
        ("1.2.1", True),
        ("1.20.0", True),
        ("2.0", False),
        ("2.0.5", False),
        (None, False),
    ],
)
def test_an_untested_version_is_refused_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, installed: str | None, is_refused: bool
) -> None:
    monkeypatch.setattr(private_names, "installed", lambda name: installed)
    library = Library(name="Plumbing", distributions=("plumbing", "plumbing-cpu"), tested=("1.2.0", "2.0"), names=())
    sentence = library.untested_version()
    assert (sentence is not None) == is_refused
    if sentence:
        assert (f"Plumbing {installed} is" in sentence, "1.2.0, 2.0" in sentence, sentence.count("\n")) == (
            True,
            True,
            0,
        )
        with pytest.raises(UntestedVersion, match="requirements/"):
            refuse_untested(library)


def test_a_process_with_an_untested_kombu_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_names, "installed", lambda name: "99.0" if name == "kombu" else None)
    assert [(found.id, str(found.msg).partition(",")[0]) for found in checks.check_libraries()] == [
        ("glassdesk.E006", "kombu 99.0 is installed")
    ]


def test_no_private_name_is_touched_that_stands_in_no_list() -> None:
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in module_files()}
    known = {part for name in NAMES for part in (*name.name.split("."), *name.attributes)}
    known |= {name.module.rpartition(".")[2] for name in NAMES}
    known |= {name for tree in trees.values() for name in own_names(tree)}
    touched = {
        f"{path.relative_to(ROOT)}: {name}"
        for path, tree in trees.items()
        for name in private_names_in(tree)
        if name not in known | PUBLIC
    }
    assert touched == set()


def private_names_in(tree: ast.Module) -> Iterator[str]:
    """Names with one underscore in front that are read from something, or imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names if is_private(alias.name))


def own_names(tree: ast.Module) -> Iterator[str]:
    """What a file defines: functions, classes, constants, fields, attributes of `self` and `cls`."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                yield name
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
                yield name


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")
