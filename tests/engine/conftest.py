"""Fixtures of the engine tests: real checkpoints in the shared cache, one running engine for the whole session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from inference_worker.engine.host import EngineHost
from inference_worker.engine.vllm.adapter import VLLMEngine
from inference_worker.engine.vllm.arguments import EngineSettings
from inference_worker.engine.weights.checkpoints import default_cache, prepare_embeddings, resolve_model


@pytest.fixture(scope="session")
def model_cache() -> Path:
    """The cache folder (`GLASSDESK_CACHE`), so that checkpoints are built once and kept."""
    return default_cache()


@pytest.fixture(scope="session")
def engine_settings(model_cache: Path) -> EngineSettings:
    """The packaged Int4 model."""
    model = resolve_model("packaged", model_cache)
    return EngineSettings(model=model.location, name=model.name, revision=model.revision)


@pytest.fixture(scope="session")
def host(engine_settings: EngineSettings) -> Iterator[EngineHost]:
    """A running engine on a loop of its own."""
    host = EngineHost(VLLMEngine(engine_settings), check_seconds=0.5, backoff_seconds=0.1)
    host.start()
    yield host
    host.stop()


@pytest.fixture(scope="session")
def embeddings_folder(model_cache: Path) -> Path:
    """The packaged embedding model."""
    return prepare_embeddings(model_cache)
