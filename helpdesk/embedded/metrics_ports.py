"""Where the programs of a desk serve their metrics, and the list of them that Prometheus reads."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from helpdesk.embedded import processes
from helpdesk.embedded.secret_files import private_folder

TARGETS = "prometheus-targets.json"


def choose(data: Path, models: Iterable[str]) -> dict[str, int]:
    """A port for every worker that serves metrics, by the name of its log; the same at the next start if it is free."""
    folder = private_folder(data / "ports")
    names = ["inference", *(f"inference-{alias}" for alias in models), "default"]
    return {name: processes.remembered_port(folder / name) for name in names}


def empty_shared_folder(data: Path) -> None:
    """The counts of the default worker's processes begin anew with each start."""
    folder = data / "metrics-default"
    shutil.rmtree(folder, ignore_errors=True)
    private_folder(folder)


def write_targets(data: Path, *, web_port: int, ports: Mapping[str, int]) -> Path:
    """The file that `deploy/prometheus/prometheus.yml` names under `file_sd_configs`."""
    targets = [{"targets": [f"127.0.0.1:{web_port}"], "labels": {"part": "web"}}]
    targets += [{"targets": [f"127.0.0.1:{port}"], "labels": {"part": name}} for name, port in ports.items()]
    path = data / TARGETS
    path.write_text(json.dumps(targets, indent=1) + "\n", encoding="utf-8")
    return path
