"""Matrix products on processors without AVX512, where vLLM's CPU build lacks its own.

Its AVX2 build has no Int4 kernel (`cpu_gemm_wna16`), yet still selects it and fails at the first token; and bfloat16
matrices go through a slow generic loop. Int4 layers use PyTorch's own operator for the few rows of decoding. Its time
grows with every row, so the many rows of a prompt are multiplied in float32 instead: the weight is widened slice by
slice, each small enough for the cache, from a copy with one byte a weight. bfloat16 weights are widened likewise.
Registered in vLLM's worker process before it loads the model, and only where vLLM's own kernel is missing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from vllm import _custom_ops  # noqa: F401  (loads the compiled kernels, so that the check below sees them)
from vllm.model_executor.kernels.linear import MPLinearKernel, MPLinearLayerConfig, register_linear_kernel
from vllm.model_executor.layers import utils as layer_utils
from vllm.model_executor.layers.quantization.utils.quant_utils import unpack_quantized_values_into_int32
from vllm.platforms import PlatformEnum, current_platform
from vllm.scalar_type import scalar_types

GROUP_SIZES = (32, 64, 128, 256)
ZERO_CODE = 8
INNER_TILES = 1  # ignored by the CPU packing, but the operator's signature wants it
FEW_ROWS_BFLOAT16 = 2
MANY_ROWS_INT4 = 24
SLICE_ELEMENTS = 1 << 20  # 4 MB in float32
SLICE_ELEMENTS_INT4 = 1 << 19


@dataclass(frozen=True, slots=True)
class ByteWeights:
    """A weight in whole bytes: `codes` int8 (outputs, inputs), `steps` float32 (outputs, groups of inputs)."""

    codes: Tensor
    steps: Tensor

    def multiply(self, rows: Tensor) -> Tensor:
        """`rows` (any number, inputs) times the transposed weight, in the rows' own type."""
        outputs, inputs = self.codes.shape
        groups = self.steps.shape[1]
        wide = rows.float()
        product = torch.empty(len(rows), outputs, dtype=rows.dtype)
        height = max(1, SLICE_ELEMENTS_INT4 // inputs)
        for start in range(0, outputs, height):
            codes = self.codes[start : start + height].view(-1, groups, inputs // groups)
            weight = (codes * self.steps[start : start + height].unsqueeze(-1)).view(-1, inputs)
            product[:, start : start + height] = wide @ weight.t()
        return product


class TorchInt4LinearKernel(MPLinearKernel):  # type: ignore[misc]  # untyped vendor
    """Symmetric 4-bit weights, multiplied by PyTorch's packed operator."""

    @classmethod
    def get_min_capability(cls) -> int:
        """No GPU capability is needed."""
        return -1

    @classmethod
    def can_implement(cls, c: MPLinearLayerConfig) -> tuple[bool, str | None]:
        """Whether the layer's shape and quantization are supported, otherwise why not."""
        inputs, outputs = c.partition_weight_shape
        group = inputs if c.group_size == -1 else c.group_size
        if c.weight_type != scalar_types.uint4b8 or c.zero_points:
            return False, "only symmetric 4-bit weights are supported"
        if group not in GROUP_SIZES or inputs % group or outputs % 32:
            return False, f"a {inputs} x {outputs} weight in groups of {group} is not supported"
        return True, None

    def process_weights_after_loading(self, layer: Any) -> None:
        """Repack from the GPTQ layout once; the checkpoint's tensors are released."""
        packed, scales = getattr(layer, self.w_q_name), getattr(layer, self.w_s_name)
        codes = unpack_quantized_values_into_int32(packed.data, self.config.weight_type, packed.packed_dim)
        codes = codes.t().contiguous() if packed.input_dim == 0 else codes.contiguous()
        steps = scales.data if scales.output_dim == 1 else scales.data.t()
        steps = steps.to(self.config.act_type)
        layer.int4_weights = ByteWeights((codes - ZERO_CODE).to(torch.int8), steps.t().float().contiguous())
        packed.data = torch.ops.aten._convert_weight_to_int4pack_for_cpu(codes, INNER_TILES)
        scales.data = torch.stack([steps, torch.zeros_like(steps)], dim=-1).contiguous()
        if self.w_zp_name is not None:
            setattr(layer, self.w_zp_name, None)

    def apply_weights(self, layer: Any, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """`x` times the weight, plus the bias."""
        rows = x.reshape(-1, x.shape[-1]).contiguous()
        packed, pairs = getattr(layer, self.w_q_name), getattr(layer, self.w_s_name)
        if len(rows) >= MANY_ROWS_INT4:
            product: Tensor = layer.int4_weights.multiply(rows)
        else:
            product = torch.ops.aten._weight_int4pack_mm_for_cpu(rows, packed, rows.shape[1] // len(pairs), pairs)
        product = product.reshape(*x.shape[:-1], -1)
        return product if bias is None else product + bias


def multiply_bfloat16(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`x` times the transposed bfloat16 weight (outputs, inputs), plus the bias."""
    rows = x.reshape(-1, x.shape[-1])
    if len(rows) <= FEW_ROWS_BFLOAT16:
        return torch.nn.functional.linear(x, weight, bias)
    wide = rows.float()
    product = torch.empty(len(rows), len(weight), dtype=x.dtype)
    height = max(1, SLICE_ELEMENTS // weight.shape[1])
    for start in range(0, len(weight), height):
        product[:, start : start + height] = wide @ weight[start : start + height].float().t()
    product = product.reshape(*x.shape[:-1], -1)
    return product if bias is None else product + bias


def register() -> None:
    """Make vLLM use these products in this process; does nothing where its own kernels are present."""
    if not current_platform.is_cpu() or hasattr(torch.ops._C, "cpu_gemm_wna16"):
        return
    os.environ["VLLM_DISABLED_KERNELS"] = "CPUWNA16LinearKernel"
    register_linear_kernel(TorchInt4LinearKernel, PlatformEnum.CPU)
    choose: Any = layer_utils.dispatch_cpu_unquantized_gemm

    def dispatch(layer: Any, remove_weight: bool) -> None:
        if layer.weight.is_meta or layer.weight.ndim != 2 or layer.weight.dtype != torch.bfloat16:
            choose(layer, remove_weight)
        else:
            layer.cpu_linear = multiply_bfloat16

    layer_utils.dispatch_cpu_unquantized_gemm = dispatch
