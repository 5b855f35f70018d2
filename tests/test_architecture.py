"""The boundaries that the project promises, held by tests rather than by memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter

import grimp

from tests.conftest import ROOT

MODEL_LIBRARIES = ("torch", "vllm", "transformers", "sentence_transformers")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
SOURCE_FOLDERS: tuple[str, ...] = tuple(CONTRACTS["root_packages"])


def test_the_web_process_loads_no_model_library() -> None:
    script = (
        "import sys, helpdesk.asgi\n"
        f"loaded = [name for name in {MODEL_LIBRARIES!r} if name in sys.modules]\n"
        "sys.exit(f'loaded: {loaded}' if loaded else 0)"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=os.environ.copy(), capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stderr[-2000:]


def test_app_imports_point_downwards_only() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout[-3000:]


def test_no_files_import_each_other_in_a_circle() -> None:
    # Imports inside functions count as well.
    graph = grimp.build_graph(*SOURCE_FOLDERS)
    imported = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    circle: list[str] = []
    try:
        TopologicalSorter(imported).prepare()
    except CycleError as error:
        circle = error.args[1]
    assert circle == []


def test_every_package_of_the_product_has_layers() -> None:
    layered = {container for contract in CONTRACTS["contracts"] for container in contract.get("containers", [])}
    assert set(SOURCE_FOLDERS) - layered == set()


def test_the_pictures_of_the_packages_are_the_contracts() -> None:
    section = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("## Packages")[1].split("\n## ")[0]
    pictures = [
        [re.split(r" {2,}", line)[0] for line in block.split("\n")[1:-1]] for block in section.split("```")[1::2]
    ]
    layers = {contract["name"]: contract["layers"] for contract in CONTRACTS["contracts"] if "layers" in contract}
    assert pictures == [layers["Apps import downwards only"], layers["Layers of the project"]]


def test_templates_have_nothing_inline() -> None:
    inline = re.compile(
        r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")|<style|\sstyle=|\son[a-z]+=\"|javascript:", re.I
    )
    offenders = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in sorted((ROOT / "templates").rglob("*.html"))
        # A file that leaves the desk has to carry its own styles and its own policy.
        if path != ROOT / "templates/tracing/export/page.html"
        for match in inline.finditer(path.read_text(encoding="utf-8"))
    ]
    assert offenders == []


def test_templates_and_styles_ask_no_other_host() -> None:
    remote = re.compile(r"(?:src|href|url\()\s*[=(]?\s*[\"']?https?://(?!localhost|desk\.example)", re.I)
    offenders = [
        str(path.relative_to(ROOT))
        for folder in ("templates", "static")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".html", ".css", ".js"} and remote.search(path.read_text(encoding="utf-8"))
    ]
    assert offenders == []


def test_nobody_marks_text_safe_by_hand() -> None:
    unsafe = re.compile(r"mark_safe|csrf_exempt|\|safe\b|innerHTML|insertAdjacentHTML|document\.write")
    # The second one reads no cookie: without the key in its header a request is refused, wherever it was sent from.
    allowed = {"knowledge/rendering.py", "openai_api/views.py"}
    offenders = [
        str(path.relative_to(ROOT))
        for folder in (*SOURCE_FOLDERS, "templates", "static")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".py", ".html", ".js"}
        and "vendor" not in path.parts
        and unsafe.search(path.read_text(encoding="utf-8"))
    ]
    assert [path for path in offenders if path not in allowed] == []
