"""The file of what was learned, as the product reads it: `layer.<n>.<q|k|v|ao|fi|fo>.<a|b>`, `scale`, `head.weight`, `head.bias`.

`a` is [rank, inputs], `b` [outputs, rank], the head's weight [2, 2 * width]; half precision. A map becomes W + scale * b a.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from inference_worker.engine.weights.checkpoints import EMBEDDINGS
from training.relevance.cross_encoder import CrossEncoder

LICENSE = "Apache-2.0"
RECIPE = "training/relevance"


def adapter_tensors(model: CrossEncoder) -> dict[str, Any]:
    """What the model has learned, by the file's names."""
    return {**_learned_tensors(model), "scale": torch.tensor(model.scale)}


def _learned_tensors(model: CrossEncoder) -> dict[str, Any]:
    tensors = {"head.weight": model.head.weight, "head.bias": model.head.bias}
    for (layer, short), part in model.parts.items():
        tensors |= {f"layer.{layer}.{short}.a": part.a, f"layer.{layer}.{short}.b": part.b}
    return tensors


class BadAdapter(Exception):
    """The file holds no parts for this model; the message says so."""


def load_adapter(model: CrossEncoder, path: Path) -> None:
    """Go on from what an earlier run has learned. Raises BadAdapter."""
    try:
        tensors = load_file(path)
        with torch.no_grad():
            for name, parameter in _learned_tensors(model).items():
                parameter.copy_(tensors[name])
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise BadAdapter(f"{path} is no file of this recipe: {error}") from error


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
