"""What the engine is started with and tells of itself on a GPU, by what vLLM and nvidia-smi say there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpdesk import gpu
from inference_worker.engine.model_facts import cache_bytes_per_token, number_bytes
from inference_worker.engine.processes import used_gpu_memory
from inference_worker.engine.vllm import loading
from inference_worker.engine.vllm.arguments import EngineSettings, Machine, computing_type, engine_arguments, refusal
from inference_worker.engine.vllm.environment import set_environment
from inference_worker.engine.vllm.loading import measure
from inference_worker.engine.vllm.runner import NEW, OLD, RUNNER_VARIABLE, chosen_runner

CPU, HOPPER, TURING = Machine("cpu"), Machine("cuda", 90), Machine("cuda", 75)
SMOLLM2 = {"hidden_size": 576, "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3}
QWEN15 = {"hidden_size": 2048, "num_hidden_layers": 24, "num_attention_heads": 16, "num_key_value_heads": 16}
QWEN3 = {
    "hidden_size": 1024,
    "num_hidden_layers": 28,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 128,
}


def test_a_cpu_is_asked_for_what_it_always_was() -> None:
    asked = engine_arguments(EngineSettings(model="none"), CPU)
    assert {name: asked[name] for name in ("dtype", "enforce_eager", "max_num_batched_tokens", "block_size")} == {
        "dtype": "bfloat16",
        "enforce_eager": True,
        "max_num_batched_tokens": 512,
        "block_size": 32,
    }
    assert asked["logits_processors"] == ["inference_worker.engine.vllm.extensions.choices_v1:ChoiceProcessor"]
    assert not {"gpu_memory_utilization", "kv_cache_memory_bytes"} & set(asked)


def test_a_gpu_gets_a_share_of_its_memory_graphs_and_its_own_blocks() -> None:
    asked = engine_arguments(EngineSettings(model="none", max_num_seqs=256, gpu_memory_share=0.4), HOPPER)
    assert (asked["gpu_memory_utilization"], asked["kv_cache_memory_bytes"], asked["enforce_eager"]) == (
        0.4,
        None,
        False,
    )
    assert (asked["max_num_seqs"], asked["enable_prefix_caching"]) == (256, True)
    assert not {"block_size", "max_num_batched_tokens"} & set(asked)


def test_a_bound_of_the_cache_holds_on_a_gpu_too() -> None:
    asked = engine_arguments(EngineSettings(model="none", kv_cache_gib=12), HOPPER)
    assert asked["kv_cache_memory_bytes"] == 12 << 30


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of this test alone."""
    variables: dict[str, str] = {}
    monkeypatch.setattr(os, "environ", variables)
    return variables


@pytest.mark.parametrize(("gib", "told"), [(0, "1"), (3, "3")])
def test_a_cpus_cache_is_one_gib_unless_more_is_asked_for(environment: dict[str, str], gib: int, told: str) -> None:
    set_environment("none", kv_cache_gib=gib)
    assert (environment["VLLM_CPU_KVCACHE_SPACE"], environment[RUNNER_VARIABLE]) == (told, "0")


@pytest.mark.parametrize(("is_cpu_build", "method"), [(True, None), (False, "spawn")])
def test_a_gpus_processes_are_new_interpreters(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, is_cpu_build: bool, method: str | None
) -> None:
    monkeypatch.setattr(loading.imported, "is_usable", lambda: is_cpu_build)
    begun: list[bool] = []
    monkeypatch.setattr(loading.imported, "begin_imports", lambda: begun.append(True))
    loading.begin_imports(EngineSettings(model="none"))
    assert (environment.get("VLLM_WORKER_MULTIPROC_METHOD"), begun) == (method, [True] if is_cpu_build else [])


@pytest.mark.parametrize(
    ("name", "gib", "tokens"),
    [
        ("NVIDIA H200", 139, 8192),
        ("NVIDIA H100 80GB HBM3", 79, 8192),
        ("NVIDIA A100-SXM4-80GB", 79, 2048),
        ("NVIDIA L4", 22, 2048),
    ],
)
def test_a_server_has_the_steps_of_its_card(monkeypatch: pytest.MonkeyPatch, name: str, gib: int, tokens: int) -> None:
    # vLLM's own table, which the engine is loaded by (`UsageContext.OPENAI_API_SERVER`); its default context has 2048.
    from vllm.engine import arg_utils
    from vllm.usage.usage_lib import UsageContext

    card = SimpleNamespace(
        get_device_total_memory=lambda: gib << 30,
        get_device_name=lambda: name,
        is_tpu=lambda: False,
        is_cpu=lambda: False,
    )
    monkeypatch.setattr(arg_utils, "current_platform", card)
    tokens_by_context, _ = arg_utils.EngineArgs.get_batch_defaults(1)
    assert tokens_by_context[UsageContext.OPENAI_API_SERVER] == tokens


@pytest.mark.parametrize(("wish", "runner"), [("auto", OLD), ("1", OLD), ("2", NEW)])
def test_the_processor_and_the_variable_fit_the_chosen_runner(
    environment: dict[str, str], wish: Any, runner: int
) -> None:
    settings = EngineSettings(model="none", runner=wish)
    set_environment("none", kv_cache_gib=1, runner=chosen_runner(settings.runner))
    (processor,) = engine_arguments(settings, HOPPER)["logits_processors"]
    assert (environment[RUNNER_VARIABLE], f"choices_v{runner}:" in processor) == (str(runner - 1), True)


@pytest.mark.parametrize(
    ("settings", "machine", "word"),
    [
        ({"device": "cuda"}, CPU, "runs on 'cpu'"),
        ({"device": "cpu"}, HOPPER, "runs on 'cuda'"),
        ({"runner": "2"}, CPU, "GLASSDESK_MODEL_RUNNER"),
        ({"runner": "2"}, HOPPER, None),
        ({"device": "cuda"}, HOPPER, None),
        ({}, CPU, None),
    ],
)
def test_settings_that_cannot_work_are_refused_before_anything_is_loaded(
    settings: Any, machine: Machine, word: str | None
) -> None:
    refused = refusal(EngineSettings(model="none", **settings), machine)
    assert (refused is None) if word is None else (refused is not None and word in refused)


@pytest.mark.parametrize(
    ("config", "machine", "expected"),
    [
        ({"torch_dtype": "float16", "quantization_config": {"bits": 4}}, HOPPER, "bfloat16"),
        ({"torch_dtype": "float16", "quantization_config": {"bits": 4}}, TURING, "float16"),
        ({"torch_dtype": "bfloat16"}, TURING, "float16"),
        ({"torch_dtype": "float16"}, HOPPER, "float16"),
        ({"torch_dtype": "float32"}, TURING, "float32"),
        ({"torch_dtype": "bfloat16"}, CPU, "bfloat16"),
    ],
)
def test_the_type_to_compute_in_is_one_that_the_card_has(
    tmp_path: Path, config: Any, machine: Machine, expected: str
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert computing_type(str(tmp_path), machine) == expected


@pytest.mark.parametrize(
    ("config", "number", "expected"),
    [
        (SMOLLM2, 2, 23_040),
        (QWEN15, 2, 196_608),
        (QWEN3, 2, 114_688),
        (QWEN3, 1, 57_344),
        ({"kv_lora_rank": 512}, 2, 0),
    ],
)
def test_what_a_token_takes_in_the_cache(config: Any, number: int, expected: int) -> None:
    assert cache_bytes_per_token(config, number) == expected


def test_numbers_of_the_cache_are_as_wide_as_its_type() -> None:
    pairs = [
        ("auto", "torch.bfloat16"),
        ("auto", "torch.float32"),
        ("fp8_e4m3", "torch.bfloat16"),
        ("float16", "float32"),
    ]
    assert [number_bytes(*pair) for pair in pairs] == [2, 4, 1, 2]


def loaded(**cache: Any) -> Any:
    values = {"kv_cache_memory_bytes": None, "kv_cache_size_tokens": None, "num_gpu_blocks": None, "block_size": 16}
    config = SimpleNamespace(to_dict=lambda: QWEN15 | {"vocab_size": 9, "intermediate_size": 9})
    return SimpleNamespace(
        vllm_config=SimpleNamespace(cache_config=SimpleNamespace(cache_dtype="auto", **(values | cache))),
        model_config=SimpleNamespace(hf_text_config=config, dtype="torch.bfloat16"),
    )


@pytest.mark.parametrize(
    ("cache", "expected"),
    [
        ({"kv_cache_memory_bytes": 3 << 30, "kv_cache_size_tokens": 7}, 3 << 30),
        ({"kv_cache_size_tokens": 100_000, "num_gpu_blocks": 6250}, 100_000 * 196_608),
        ({"num_gpu_blocks": 6250}, 100_000 * 196_608),
        ({}, 0),
    ],
)
def test_the_cache_is_as_large_as_vllm_made_it(cache: Any, expected: int) -> None:
    assert measure(loaded(**cache), EngineSettings(model="none")).kv_cache_bytes == expected


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("11, 1000\n22, 24\n33, 5000\n", 1024 << 20),
        ("11, 1000\n22, [N/A]\n", 1000 << 20),
        ("33, 5000\n", None),
        ("", None),
        ("11, [N/A]\n22, [N/A]\n", None),
        ("[Insufficient Permissions], [Insufficient Permissions]\n", None),
        ("No devices were found\n", None),
        ("111, 1000\n", None),
        ("11, 0\n", 0),
        ("11,7\n\n", 7 << 20),
    ],
)
def test_gpu_memory_that_is_not_told_is_not_known_rather_than_nothing(listed: str, expected: int | None) -> None:
    assert used_gpu_memory(listed, {11, 22}) == expected


@pytest.mark.parametrize(
    ("mib", "share", "expected"),
    [
        (None, 0.85, 20),
        (4096, 0.85, 20),
        (8192, 0.85, 27),
        (24564, 0.85, 81),
        (24564, 0.42, 40),
        (81559, 0.85, 256),
        (143771, 0.85, 256),
    ],
)
def test_sequences_follow_from_the_memory_of_the_card(mib: int | None, share: float, expected: int) -> None:
    assert gpu.sequences(mib, share) == expected


def test_a_machine_without_vllms_build_for_gpus_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "card_mib", lambda: pytest.fail("asked"))
    assert gpu.default_sequences(0.85) == 20


@pytest.mark.parametrize(
    ("listed", "expected"), [("143771\n", 143771), ("24564\n81559\n", 24564), ("[N/A]\n", None), ("", None)]
)
def test_the_first_cards_memory_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, listed: str, expected: int | None
) -> None:
    command = tmp_path / "nvidia-smi"
    command.write_text(f"#!/bin/sh\nprintf '%s' '{listed}'\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpu.card_mib() == expected
