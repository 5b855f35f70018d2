"""What a model's config.json tells: its size, its quantization, and whether its free text can be trusted at all."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

FREE_GENERATION_PARAMETERS = 1_000_000_000


def can_generate_freely(config: Mapping[str, Any]) -> bool:
    """Whether the model is large enough for answers in its own words; smaller ones only quote."""
    return count_parameters(config) >= FREE_GENERATION_PARAMETERS


def count_parameters(config: Mapping[str, Any]) -> int:
    """Parameters of a gated-MLP transformer (Llama, Qwen, Mistral ...), estimated from its config.json."""
    width, layers = int(config["hidden_size"]), int(config["num_hidden_layers"])
    heads = int(config["num_attention_heads"])
    head = int(config.get("head_dim") or width // heads)
    attention = width * head * 2 * (heads + int(config.get("num_key_value_heads") or heads))
    experts = int(config.get("num_local_experts") or config.get("num_experts") or 1)
    inner = int(config.get("moe_intermediate_size") or config["intermediate_size"])
    embeddings = int(config["vocab_size"]) * width * (1 if config.get("tie_word_embeddings") else 2)
    return embeddings + layers * (attention + 3 * width * inner * experts)


def describe_quantization(config: Mapping[str, Any], dtype: str) -> str:
    """Such as `gptq-int4-g64`, or the plain number type of an unquantized model."""
    quantization = config.get("quantization_config")
    if not quantization:
        return dtype.removeprefix("torch.")
    parts = [str(quantization.get("quant_method", "quantized"))]
    if bits := quantization.get("bits"):
        parts.append(f"int{bits}")
    if group := quantization.get("group_size"):
        parts.append(f"g{group}")
    return "-".join(parts)


def installed_versions(names: Sequence[str]) -> dict[str, str]:
    """Versions of those of the named distributions that are installed."""
    found = {}
    for name in names:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
