"""GPTQ Int4 layers on processors without AVX512.

vLLM's CPU build for AVX2 lacks the Int4 matrix kernel (`cpu_gemm_wna16`) that its AVX512 build has, yet still selects
it and fails at the first token. PyTorch has an Int4 kernel for AVX2 (`_weight_int4pack_mm_for_cpu`); this module
registers it with vLLM in the worker process, and only where vLLM's own is missing.
"""

from __future__ import annotations

import os

import torch
from vllm import _custom_ops  # noqa: F401  (loads the compiled kernels, so that the check below sees them)
from vllm.model_executor.kernels.linear import MPLinearKernel, MPLinearLayerConfig, register_linear_kernel
from vllm.model_executor.layers.quantization.utils.quant_utils import unpack_quantized_values_into_int32
from vllm.platforms import PlatformEnum, current_platform
from vllm.scalar_type import scalar_types

GROUP_SIZES = (32, 64, 128, 256)
INNER_TILES = 1  # ignored by the CPU packing, but the operator's signature wants it


class TorchInt4LinearKernel(MPLinearKernel):
    """Symmetric 4-bit weights multiplied by PyTorch's packed Int4 operator."""

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

    def process_weights_after_loading(self, layer: torch.nn.Module) -> None:
        """Repack from the GPTQ layout once; the checkpoint's tensors are released."""
        packed, scales = getattr(layer, self.w_q_name), getattr(layer, self.w_s_name)
        codes = unpack_quantized_values_into_int32(packed.data, self.config.weight_type, packed.packed_dim)
        if packed.input_dim == 0:
            codes = codes.t()
        steps = scales.data if scales.output_dim == 1 else scales.data.t()
        pairs = torch.stack([steps, torch.zeros_like(steps)], dim=-1).to(self.config.act_type).contiguous()
        packed.data = torch.ops.aten._convert_weight_to_int4pack_for_cpu(codes.contiguous(), INNER_TILES)
        scales.data = pairs
        if self.w_zp_name is not None:
            setattr(layer, self.w_zp_name, None)

    def apply_weights(self, layer: torch.nn.Module, x: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """`x` times the weight, plus the bias."""
        packed, pairs = getattr(layer, self.w_q_name), getattr(layer, self.w_s_name)
        inputs = self.config.partition_weight_shape[0]
        group = inputs if self.config.group_size == -1 else self.config.group_size
        rows = x.reshape(-1, inputs)
        product: torch.Tensor = torch.ops.aten._weight_int4pack_mm_for_cpu(rows.contiguous(), packed, group, pairs)
        product = product.reshape(*x.shape[:-1], -1)
        return product if bias is None else product + bias


class Int4OnAVX2:
    """Named in the engine's arguments so that every worker process imports this module before it loads the model."""


def _register() -> None:
    if current_platform.is_cpu() and not hasattr(torch.ops._C, "cpu_gemm_wna16"):
        os.environ["VLLM_DISABLED_KERNELS"] = "CPUWNA16LinearKernel"
        register_linear_kernel(TorchInt4LinearKernel, PlatformEnum.CPU)


_register()
