"""What a checkpoint tells of itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from inference_worker.engine.model_facts import (
    checkpoint_bytes,
    checkpoint_parameters,
    cpu_refusal,
    describe_precision,
    describe_quantization,
    number_type,
)
from inference_worker.engine.weights import gptq


@pytest.mark.parametrize(("bits", "group"), [(4, 64), (8, gptq.WHOLE_ROW)])
def test_packed_weights_count_as_what_they_stand_for(tmp_path: Path, bits: int, group: int) -> None:
    weight = np.random.default_rng(1).normal(size=(64, 128)).astype(np.float32)
    packed = {f"layer.{name}": values for name, values in gptq.pack(weight, group, bits).items()}
    save_file({**packed, "norm.weight": np.ones(128, dtype=np.float32)}, tmp_path / "model.safetensors")
    config = {"quantization_config": gptq.config(group, bits)}
    assert checkpoint_parameters(str(tmp_path), config) == 64 * 128 + 128
    assert checkpoint_bytes(str(tmp_path)) == (tmp_path / "model.safetensors").stat().st_size


def test_a_hub_name_has_no_folder_to_look_into() -> None:
    config = {
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "vocab_size": 10,
    }
    assert checkpoint_bytes("Qwen/Qwen3-8B") == 0
    assert checkpoint_parameters("Qwen/Qwen3-8B", config) > 0


@pytest.mark.parametrize(
    ("config", "dtype", "precision", "quantization"),
    [
        ({"quantization_config": gptq.config(64)}, "torch.bfloat16", "int4", "gptq-int4-g64"),
        ({"quantization_config": gptq.config(-1, 8)}, "torch.bfloat16", "int8", "gptq-int8-channel"),
        ({}, "torch.bfloat16", "bf16", "bfloat16"),
        ({}, "torch.float16", "fp16", "float16"),
        ({}, "torch.float32", "fp32", "float32"),
    ],
)
def test_precision_and_quantization_in_the_fields_words(
    config: dict[str, object], dtype: str, precision: str, quantization: str
) -> None:
    assert (describe_precision(config, dtype), describe_quantization(config, dtype)) == (precision, quantization)


@pytest.mark.parametrize(
    ("config", "computed_in"),
    [
        ({"torch_dtype": "float32"}, "float32"),
        ({"dtype": "float16"}, "float16"),
        ({"torch_dtype": "bfloat16"}, "bfloat16"),
        ({"torch_dtype": "float16", "quantization_config": {"bits": 4}}, "bfloat16"),
        ({}, "bfloat16"),
    ],
)
def test_an_unquantized_checkpoint_is_computed_in_its_own_type(
    tmp_path: Path, config: dict[str, object], computed_in: str
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert number_type(str(tmp_path)) == computed_in
    assert number_type("Qwen/Qwen3-8B") == "bfloat16"


@pytest.mark.parametrize(("bits", "group", "largest"), [(4, 64, 0.11), (8, gptq.WHOLE_ROW, 0.012)])
def test_packing_returns_the_nearest_weights(bits: int, group: int, largest: float) -> None:
    weight = np.random.default_rng(3).normal(size=(48, 256)).astype(np.float32)
    packed = gptq.pack(weight, group, bits)
    assert packed["qweight"].shape == (256 * bits // 32, 48)
    error = np.linalg.norm(gptq.unpack(packed, bits) - weight) / np.linalg.norm(weight)
    assert error < largest


@pytest.mark.parametrize(
    ("bits", "group", "is_refused"), [(8, 128, True), (8, -1, False), (4, 128, False), (4, -1, False)]
)
def test_what_no_cpu_product_can_take_is_refused_with_what_to_do(
    tmp_path: Path, bits: int, group: int, is_refused: bool
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"quantization_config": gptq.config(group, bits)}))
    refusal = cpu_refusal(str(tmp_path))
    assert (refusal is not None) == is_refused
    assert refusal is None or "prepare_model --precision int8" in refusal
    assert cpu_refusal("Qwen/Qwen3-8B") is None
