"""What a model's config.json and name tell: size, quantization, which languages it writes, whether it may by default."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from math import prod
from pathlib import Path
from typing import Any

FREE_GENERATION_PARAMETERS = 1_000_000_000
# From how many parameters on a family writes a language; the first family whose name begins `model_type` counts.
# SmolLM2-135M writes neither, Qwen2.5-Coder-0.5B English only (docs/decisions/0030-stronger-writers.md).
WRITES_FROM = {
    "qwen": {"en": 400_000_000, "zh": 1_000_000_000},
    "": {"en": 1_000_000_000},
}


def can_generate_freely(config: Mapping[str, Any], model: str) -> bool:
    """Whether an assistant's automatic style lets the model answer in its own words; otherwise it quotes.

    A model below a billion parameters, or tuned for program text (by its name), writes only where an assistant is set to.
    """
    return count_parameters(config) >= FREE_GENERATION_PARAMETERS and "coder" not in model.lower()


def written_languages(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Codes of the desk's languages in which the model writes sentences that can be used, such as `("en", "zh")`."""
    family = str(config.get("model_type") or "")
    least = next(sizes for prefix, sizes in WRITES_FROM.items() if family.startswith(prefix))
    parameters = count_parameters(config)
    return tuple(language for language, needed in least.items() if parameters >= needed)


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
    """Such as `gptq-int4-g64`, `gptq-int8-channel` (one scale for each output), or an unquantized model's number type."""
    quantization = config.get("quantization_config")
    if not quantization:
        return dtype.removeprefix("torch.")
    parts = [str(quantization.get("quant_method", "quantized"))]
    if bits := quantization.get("bits"):
        parts.append(f"int{bits}")
    if group := int(quantization.get("group_size") or 0):
        parts.append(f"g{group}" if group > 0 else "channel")
    return "-".join(parts)


def installed_versions(names: Sequence[str]) -> dict[str, str]:
    """Versions of those of the named distributions that are installed."""
    found = {}
    for name in names:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def cpu_refusal(location: str) -> str | None:
    """Why a checkpoint folder cannot be computed on a CPU; None when nothing is known against it."""
    with contextlib.suppress(OSError, ValueError):
        quantization = json.loads((Path(location) / "config.json").read_text()).get("quantization_config") or {}
        if int(quantization.get("bits") or 0) == 8 and int(quantization.get("group_size") or 0) > 0:
            return (
                f"The 8-bit weights in {location} have one scale for every {quantization['group_size']} inputs; a CPU "
                "needs one for each output (group_size -1), as `manage.py prepare_model --precision int8` makes them."
            )
    return None


def number_type(location: str) -> str:
    """The type to compute in: that of an unquantized checkpoint folder, otherwise bfloat16."""
    with contextlib.suppress(OSError, ValueError):
        config = json.loads((Path(location) / "config.json").read_text())
        stored = str(config.get("dtype") or config.get("torch_dtype"))
        if stored in {"float32", "float16"} and not config.get("quantization_config"):
            return stored
    return "bfloat16"


def describe_precision(config: Mapping[str, Any], dtype: str) -> str:
    """The width of the weights: int4, int8, bf16, fp16 or fp32."""
    if bits := (config.get("quantization_config") or {}).get("bits"):
        return f"int{bits}"
    return {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}.get(dtype.removeprefix("torch."), dtype)


def number_bytes(name: str, otherwise: str) -> int:
    """Bytes of one number of a type such as fp8_e4m3 or torch.bfloat16; `auto` is the `otherwise`."""
    name = (otherwise if name == "auto" else name).removeprefix("torch.")
    if name.startswith("fp8"):
        return 1
    return 4 if name == "float32" else 2


def cache_bytes_per_token(config: Mapping[str, Any], number_bytes: int) -> int:
    """What a token's keys and values take over all layers; 0 for a model that keeps them compressed (not known)."""
    if config.get("kv_lora_rank"):
        return 0
    heads = int(config["num_attention_heads"])
    head = int(config.get("head_dim") or int(config["hidden_size"]) // heads)
    return 2 * int(config["num_hidden_layers"]) * int(config.get("num_key_value_heads") or heads) * head * number_bytes


def checkpoint_bytes(location: str) -> int:
    """Size of a checkpoint folder's weights on disk; 0 for a hub name."""
    return sum(file.stat().st_size for file in _weight_files(location))


def checkpoint_parameters(location: str, config: Mapping[str, Any]) -> int:
    """Parameters counted in the checkpoint's own headers; estimated from the config where there is no folder."""
    files = _weight_files(location)
    if not files:
        return count_parameters(config)
    bits = int((config.get("quantization_config") or {}).get("bits") or 32)
    return sum(_parameters_in(file, 32 // bits) for file in files)


def _weight_files(location: str) -> list[Path]:
    folder = Path(location)
    return sorted(folder.glob("*.safetensors")) if folder.is_dir() else []


def _parameters_in(file: Path, packed: int) -> int:
    """`packed` weights stand in each number of a quantized layer; its scales and zero points are no parameters."""
    with file.open("rb") as stream:
        header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    total = 0
    for name, tensor in header.items():
        if name == "__metadata__" or name.endswith((".qzeros", ".scales", ".g_idx")):
            continue
        total += prod(tensor["shape"]) * (packed if name.endswith(".qweight") else 1)
    return total
