"""The file of what was learned, as the product reads it: `layer.<n>.<q|k|v|ao|fi|fo>.<a|b>`, `scale`, `head.weight`, `head.bias`.

`a` is [rank, inputs], `b` [outputs, rank], the head's weight [2, 2 * width]; half precision. A map becomes W + scale * b a.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from inference_worker.engine.weights.checkpoints import EMBEDDINGS
from training.relevance.cross_encoder import CrossEncoder

LICENSE = "Apache-2.0"
RECIPE = "training/relevance"


def adapter_tensors(model: CrossEncoder) -> dict[str, Any]:
    """What the model has learned, by the file's names."""
    tensors = {"head.weight": model.head.weight, "head.bias": model.head.bias, "scale": torch.tensor(model.scale)}
    for (layer, short), part in model.parts.items():
        tensors |= {f"layer.{layer}.{short}.a": part.a, f"layer.{layer}.{short}.b": part.b}
    return tensors


def write_adapter(
    path: Path, tensors: Mapping[str, Any], *, version: str, base_sha256: str = EMBEDDINGS.sha256
) -> None:
    """Write the file at once: whoever reads it meanwhile sees the old one or the new one. Raises OSError."""
    halves = {name: tensor.detach().to("cpu", torch.float16).contiguous() for name, tensor in tensors.items()}
    about = {
        "base": EMBEDDINGS.model,
        "base_sha256": base_sha256,
        "version": version,
        "license": LICENSE,
        "recipe": RECIPE,
    }
    unfinished = path.with_name(f".{path.name}.new")
    save_file(halves, unfinished, metadata=about)
    # The library leaves it to its owner alone; in an image somebody else reads it.
    unfinished.chmod(0o644)
    unfinished.replace(path)
