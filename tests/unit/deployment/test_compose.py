"""docker-compose.yml against the code: commands, names, files, secrets and images that it speaks of exist."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

from helpdesk.queue.celery import app as celery_app
from tests.conftest import ROOT
from tests.unit.deployment.image_files import image_files, product_packages, tracked_files

TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
FOREIGN_NAMES = {"POSTGRES_PASSWORD_FILE", "POSTGRES_INITDB_ARGS", "POSTGRES_USER"}


def words_of(service: dict[str, Any]) -> list[str]:
    """The service's command, or its image's."""
    if "command" in service:
        return [str(word) for word in service["command"]]
    stage = DOCKERFILE.partition(f"AS {service['build']['target']}\n")[2].partition("\nFROM ")[0]
    command: list[str] = ast.literal_eval(re.search(r"^CMD (\[.*?\])", stage, re.M | re.S)[1].replace("\\\n", ""))  # type: ignore[index]
    return command


@pytest.mark.parametrize("name", OURS)
def test_a_service_starts_something_that_exists(name: str) -> None:
    words = words_of(OURS[name])
    if words[1] == "manage.py":
        assert words[2] in get_commands()
        return
    assert words[:2] == ["python", "-m"]
    importlib.import_module(words[2])
    targets = [word.partition("=")[2] for word in words if word.startswith("--app=")]
    targets += [word for word in words if re.fullmatch(r"helpdesk\.[\w.]+:\w+", word)]
    assert targets
    for target in targets:
        module, _, attribute = target.partition(":")
        assert hasattr(importlib.import_module(module), attribute or "app")


def test_every_queue_has_a_worker_and_every_worker_a_queue() -> None:
    served = {word.partition("=")[2] for service in OURS.values() for word in words_of(service) if "--queues=" in word}
    assert served == {queue.name for queue in celery_app.conf.task_queues}


def test_exactly_one_service_keeps_the_clock() -> None:
    assert [name for name, service in OURS.items() if "beat" in words_of(service)] == ["beat"]


def test_no_inference_worker_has_another_number_of_threads_than_its_sequences_ask_for() -> None:
    inference = [words_of(service) for name, service in OURS.items() if name.startswith("inference")]
    given = {word for words in inference for word in words if word.startswith("--concurrency")}
    assert given <= {f"--concurrency={settings.INFERENCE_THREADS}"}


def test_each_target_is_a_stage_of_the_dockerfile() -> None:
    assert {s["build"]["target"] for s in OURS.values()} <= set(re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.M))


def names_that_are_read() -> set[str]:
    """Every text in the code that could be the name of a variable, and those of the entry point."""
    found: set[str] = set()
    for package in product_packages():
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found |= set(re.findall(r"[A-Z][A-Z0-9_]{3,}", node.value))
    return found


def test_every_variable_is_read_by_somebody() -> None:
    read = names_that_are_read()
    entry = (ROOT / "deploy/docker/entrypoint.sh").read_text(encoding="utf-8")
    by_entry_point = set(re.findall(r"for name in ([A-Z_ ]+);", entry)[0].split())
    given = {name for service in SERVICES.values() for name in service.get("environment") or {}} - FOREIGN_NAMES
    assert "DATABASE_URL_FILE" in given
    for name in given:
        plain = name.removesuffix("_FILE")
        assert name in read or (plain in read and (plain in by_entry_point or is_secret(plain))), name


def is_secret(name: str) -> bool:
    """Whether the settings read it from a file as well."""
    return f'env.secret("{name}"' in (ROOT / "helpdesk/settings.py").read_text(encoding="utf-8")


def test_secrets_are_made_declared_and_mounted() -> None:
    script = (ROOT / "deploy/docker/make_secrets.sh").read_text(encoding="utf-8")
    made = set(re.findall(r"^make (\w+) ", script, re.M))
    assert {name: f"./deploy/secrets/{name}" for name in made} == {
        name: secret["file"] for name, secret in COMPOSE["secrets"].items()
    }
    for name, service in SERVICES.items():
        used = set(
            re.findall(r"/run/secrets/(\w+)", yaml.safe_dump({k: v for k, v in service.items() if k != "secrets"}))
        )
        assert used <= set(service.get("secrets", [])) <= made, name


def test_the_entry_point_reads_addresses_from_their_files(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("redis://:a b$c'd@valkey:6379/0\n", encoding="utf-8")
    script = ROOT / "deploy/docker/entrypoint.sh"
    environment = {"PATH": os.environ["PATH"], "REDIS_URL_FILE": str(tmp_path / "url")}
    show = [script, "sh", "-c", 'printf %s "$REDIS_URL"']
    assert subprocess.run(show, env=environment, capture_output=True, text=True, check=True).stdout == (
        "redis://:a b$c'd@valkey:6379/0"
    )
    missing = environment | {"REDIS_URL_FILE": str(tmp_path / "none")}
    assert subprocess.run(show, env=missing, capture_output=True, check=False).returncode != 0


def mounts() -> Iterator[tuple[str, str]]:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            yield name, str(volume).partition(":/")[0]


def test_mounted_files_and_volumes_exist() -> None:
    held = set(tracked_files())
    for name, source in mounts():
        if source.startswith("./"):
            assert source[2:] in held, name
        elif not source.startswith("$"):
            assert source in COMPOSE["volumes"], name


def test_services_wait_for_and_speak_to_ones_that_exist() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES, name
            assert how["condition"] != "service_healthy" or "healthcheck" in SERVICES[other], name
        assert set(service.get("networks", [])) <= set(COMPOSE["networks"]), name


def test_health_checks_run_what_the_image_holds() -> None:
    held = image_files()
    for name, service in OURS.items():
        test = " ".join(service.get("healthcheck", {}).get("test", []))
        for script in re.findall(r"\bdeploy/[\w/]+\.py", test):
            assert script in held, name
        for module, attribute in re.findall(r"-A ([\w.]+):(\w+)", test):
            assert hasattr(importlib.import_module(module), attribute), name


def test_passwords_reach_services_as_files_only() -> None:
    given = [f"{k}={v}" for service in SERVICES.values() for k, v in (service.get("environment") or {}).items()]
    assert [
        each for each in given if re.search(r"PASSWORD|KEY|DATABASE_URL|REDIS_URL", each) and "_FILE=" not in each
    ] == []


def test_every_image_of_others_has_one_name_that_can_be_pinned() -> None:
    named = {service["image"] for name, service in SERVICES.items() if name not in OURS}
    base = {service["build"]["args"]["GLASSDESK_PYTHON_IMAGE"] for service in OURS.values()}
    pattern = re.compile(r"\$\{(GLASSDESK_[A-Z]+_IMAGE):-([\w./-]+:[\w.-]+)\}")
    assert all(pattern.fullmatch(image) for image in named | base)
    default = re.search(r"^ARG GLASSDESK_PYTHON_IMAGE=(\S+)$", DOCKERFILE, re.M)
    assert default is not None
    assert base == {f"${{GLASSDESK_PYTHON_IMAGE:-{default[1]}}}"}


def test_pinning_asks_for_each_image_and_refuses_what_is_no_digest(tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\nfor last; do :; done\necho "$ANSWER"; echo "$last" >> "$ASKED"\n', encoding="utf-8")
    docker.chmod(0o755)
    asked = tmp_path / "asked"
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "ASKED": str(asked)}
    script = ROOT / "deploy/docker/pin_images.sh"

    def pin(answer: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [script], env=environment | {"ANSWER": answer}, capture_output=True, text=True, check=False
        )

    done = pin("sha256:0f")
    names = sorted(re.findall(r"\{(GLASSDESK_[A-Z]+_IMAGE):-", TEXT))
    assert done.returncode == 0
    assert [line.partition("=")[0] for line in done.stdout.splitlines()] == sorted(set(names))
    assert all(line.endswith("@sha256:0f") for line in done.stdout.splitlines())
    assert "nginx:1.29-alpine" in asked.read_text(encoding="utf-8").splitlines()
    assert pin("no such manifest").returncode == 1
