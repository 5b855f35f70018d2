"""Round-to-nearest Int4 and Int8 quantization into the standard GPTQ (v1) tensor layout, in NumPy.

Layout: Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers"
(arXiv:2210.17323), as stored by AutoGPTQ: eight 4-bit or four 8-bit values per int32 along the input dimension, zero
points stored minus one. Symmetric: every zero point is 8 or 128.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

CLIP_RATIOS = (1.0, 0.96, 0.92, 0.88, 0.84, 0.8)
WHOLE_ROW = -1  # a group size: one scale for all inputs of an output

Array = npt.NDArray[Any]


def quantize(weight: Array, group_size: int, bits: int = 4) -> tuple[Array, Array]:
    """Quantize a weight of shape (outputs, inputs) along its inputs.

    Returns codes 0..2^bits-1 of shape (inputs, outputs) and float16 scales of shape (inputs / group_size, outputs). Of
    six clipping ratios each group keeps the one with the least squared error.
    """
    outputs, inputs = weight.shape
    group_size = inputs if group_size == WHOLE_ROW else group_size
    half = 1 << (bits - 1)
    groups = np.ascontiguousarray(weight.T, dtype=np.float32).reshape(inputs // group_size, group_size, outputs)
    peak = np.abs(groups).max(axis=1, keepdims=True)
    best_error = np.full_like(peak, np.inf)
    best_scale = np.empty_like(peak)
    for ratio in CLIP_RATIOS:
        scale = np.maximum(peak * (ratio / (half - 0.5)), 1e-7).astype(np.float16).astype(np.float32)
        error = np.square(_round(groups, scale, half) * scale - groups).sum(axis=1, keepdims=True)
        better = error < best_error
        best_error = np.where(better, error, best_error)
        best_scale = np.where(better, scale, best_scale)
    codes = (_round(groups, best_scale, half) + half).astype(np.int32).reshape(inputs, outputs)
    return codes, best_scale.astype(np.float16).reshape(inputs // group_size, outputs)


def pack(weight: Array, group_size: int, bits: int = 4) -> dict[str, Array]:
    """The four GPTQ tensors (qweight, qzeros, scales, g_idx) of one linear layer's weight (outputs, inputs)."""
    outputs, inputs = weight.shape
    group_size = inputs if group_size == WHOLE_ROW else group_size
    per_word = 32 // bits
    if inputs % group_size or outputs % per_word or group_size % per_word:
        raise ValueError(f"a {outputs} x {inputs} weight does not divide into groups of {group_size}")
    codes, scales = quantize(weight, group_size, bits)
    words = codes.astype(np.uint32).reshape(inputs // per_word, per_word, outputs) << _shifts(bits)
    zero = (1 << (bits - 1)) - 1
    zeros = sum(zero << (bits * place) for place in range(per_word))
    return {
        "qweight": np.bitwise_or.reduce(words, axis=1).view(np.int32),
        "qzeros": np.full((inputs // group_size, outputs // per_word), zeros, dtype=np.int32),
        "scales": scales,
        "g_idx": (np.arange(inputs) // group_size).astype(np.int32),
    }


def unpack(packed: dict[str, Array], bits: int = 4) -> Array:
    """The float32 weight (outputs, inputs) that the packed tensors stand for."""
    words = packed["qweight"].view(np.uint32)[:, None, :]
    codes = ((words >> _shifts(bits)) & ((1 << bits) - 1)).reshape(-1, words.shape[-1]).astype(np.float32)
    return ((codes - (1 << (bits - 1))) * packed["scales"].astype(np.float32)[packed["g_idx"]]).T


def config(group_size: int, bits: int = 4) -> dict[str, object]:
    """The `quantization_config` entry of config.json by which engines recognise the layout."""
    return {
        "quant_method": "gptq",
        "bits": bits,
        "group_size": group_size,
        "sym": True,
        "desc_act": False,
        "lm_head": False,
        "checkpoint_format": "gptq",
    }


def _shifts(bits: int) -> Array:
    return np.arange(0, 32, bits, dtype=np.uint32)[None, :, None]


def _round(groups: Array, scale: Array, half: int) -> Array:
    return np.clip(np.rint(groups / scale), -half, half - 1)
