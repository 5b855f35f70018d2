"""Values that cross the engine boundary refuse nonsense where they are made."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from inference_worker.engine.contract import GenerationRequest, Prompt, PromptTooLong, SamplingParameters
from inference_worker.engine.model_facts import (
    can_generate_freely,
    count_parameters,
    describe_quantization,
    written_languages,
)

SMOLLM2_135M = {
    "model_type": "llama",
    "hidden_size": 576,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "intermediate_size": 1536,
    "vocab_size": 49152,
    "tie_word_embeddings": True,
}
QWEN15_1_8B = {
    "model_type": "qwen2",
    "hidden_size": 2048,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "num_key_value_heads": 16,
    "intermediate_size": 5504,
    "vocab_size": 151936,
    "tie_word_embeddings": False,
    "quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128},
}
QWEN25_CODER_0_5B = {
    "model_type": "qwen2",
    "hidden_size": 896,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "intermediate_size": 4864,
    "vocab_size": 151936,
    "tie_word_embeddings": True,
}
QWEN25_CODER_1_5B = QWEN25_CODER_0_5B | {
    "hidden_size": 1536,
    "num_hidden_layers": 28,
    "num_attention_heads": 12,
    "intermediate_size": 8960,
}
LLAMA32_1B = {
    "model_type": "llama",
    "hidden_size": 2048,
    "num_hidden_layers": 16,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "intermediate_size": 8192,
    "vocab_size": 128256,
    "tie_word_embeddings": True,
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_tokens": 0},
        {"max_tokens": 32_769},
        {"temperature": -0.1},
        {"temperature": 2.1},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"top_logprobs": -1},
        {"top_logprobs": 21},
    ],
)
def test_sampling_parameters_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SamplingParameters(**wrong)  # type: ignore[arg-type]


def test_sampling_parameters_at_their_limits_are_accepted() -> None:
    accepted = SamplingParameters(max_tokens=32_768, temperature=2.0, top_p=1.0, top_logprobs=20)
    assert (accepted.max_tokens, accepted.top_logprobs) == (32_768, 20)


def test_requests_cannot_be_changed() -> None:
    request = GenerationRequest("r1", Prompt("text", (1, 2)))
    with pytest.raises(FrozenInstanceError):
        request.priority = 5  # type: ignore[misc]


def test_too_long_prompt_says_the_numbers_and_is_not_retryable() -> None:
    error = PromptTooLong(prompt_tokens=2000, max_tokens=100, limit=2048)
    assert (error.retryable, [number in str(error) for number in ("2000", "100", "2048")]) == (False, [True] * 3)


def test_parameters_are_counted_from_the_config() -> None:
    counts = [round(count_parameters(config) / 1e6) for config in (SMOLLM2_135M, QWEN15_1_8B)]
    assert counts == [134, 1837]


@pytest.mark.parametrize(
    ("config", "model", "expected"),
    [
        (SMOLLM2_135M, "SmolLM2-135M-Instruct (GPTQ Int4)", False),
        (QWEN25_CODER_0_5B, "Qwen2.5-Coder-0.5B-Instruct (GPTQ Int4)", False),
        (QWEN25_CODER_1_5B, "Qwen2.5-Coder-1.5B-Instruct (GPTQ Int4)", False),
        (QWEN25_CODER_1_5B, "Qwen/Qwen2.5-1.5B-Instruct-GPTQ-Int4", True),
        (QWEN15_1_8B, "Qwen/Qwen1.5-1.8B-Chat-GPTQ-Int4", True),
    ],
)
def test_only_models_from_a_billion_parameters_that_are_not_for_programs_generate_freely(
    config: dict[str, object], model: str, expected: bool
) -> None:
    assert can_generate_freely(config, model) is expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (SMOLLM2_135M, ()),
        (QWEN25_CODER_0_5B, ("en",)),
        (QWEN25_CODER_1_5B, ("en", "zh")),
        (QWEN15_1_8B, ("en", "zh")),
        (LLAMA32_1B, ("en",)),
        (LLAMA32_1B | {"model_type": None}, ("en",)),
    ],
)
def test_the_languages_that_a_model_writes_follow_family_and_size(
    config: dict[str, object], expected: tuple[str, ...]
) -> None:
    assert written_languages(config) == expected


def test_quantization_is_described() -> None:
    described = [describe_quantization(config, "torch.bfloat16") for config in (SMOLLM2_135M, QWEN15_1_8B)]
    assert described == ["bfloat16", "gptq-int4-g128"]
