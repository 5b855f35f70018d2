"""One place says how many replies a worker has in progress at once: image, compose file and worker follow from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

PROJECT = Path(__file__).resolve().parents[3]


def inference_commands(name: str) -> list[str]:
    """The command lines of inference workers in a file, however their words are listed."""
    words = " ".join(re.findall(r"[^\s\"',\[\]]+", (PROJECT / name).read_text()))
    return re.findall(r"inference_worker\.worker (?:- )?worker.*?inference@%h", words)


@pytest.mark.parametrize(("name", "count"), [("Dockerfile", 2), ("docker-compose.yml", 1)])
def test_no_container_has_a_number_of_threads_of_its_own(name: str, count: int) -> None:
    commands = inference_commands(name)
    assert (len(commands), [command for command in commands if "concurrency" in command]) == (count, [])


def test_a_worker_without_a_number_takes_the_settings() -> None:
    from inference_worker.worker import app

    assert app.conf.worker_concurrency == settings.INFERENCE_THREADS == settings.ENGINE_MAX_SEQUENCES * 6 // 5


def test_what_sizes_the_engine_reaches_every_container() -> None:
    text = (PROJECT / "docker-compose.yml").read_text()
    names = (
        "MAX_SEQUENCES",
        "BATCH_IN_FLIGHT",
        "INFERENCE_THREADS",
        "KV_CACHE_GIB",
        "GPU_MEMORY_SHARE",
        "MODEL_RUNNER",
    )
    common = text[text.index("x-app:") : text.index("x-inference:")]
    assert [name for name in names if f"    GLASSDESK_{name}:\n" not in common] == []
