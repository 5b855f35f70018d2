"""GPTQ weights of 8 bits on a CPU, for which vLLM has no kernel: it refuses them there.

One scale for each output, as PyTorch's own operator wants them. Its time grows with every row, so the many rows of a
prompt are multiplied in float32, slice by slice, like those of Int4 weights (see avx2.py).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from vllm.model_executor.kernels.linear import MPLinearKernel, MPLinearLayerConfig, register_linear_kernel
from vllm.model_executor.layers.quantization.utils import marlin_utils
from vllm.model_executor.layers.quantization.utils.quant_utils import unpack_quantized_values_into_int32
from vllm.platforms import PlatformEnum, current_platform
from vllm.scalar_type import scalar_types

from inference_worker.engine.vllm.extensions.avx2 import ByteWeights

ZERO_CODE = 128
MANY_ROWS = 12


class TorchInt8LinearKernel(MPLinearKernel):  # type: ignore[misc]  # untyped vendor
    """Symmetric 8-bit weights with one scale for each output."""

    @classmethod
    def get_min_capability(cls) -> int:
        """No GPU capability is needed."""
        return -1

    @classmethod
    def can_implement(cls, c: MPLinearLayerConfig) -> tuple[bool, str | None]:
        """Whether the layer's quantization is supported, otherwise why not."""
        if c.weight_type != scalar_types.uint8b128 or c.zero_points:
            return False, "only symmetric 8-bit weights are supported"
        if c.group_size not in (-1, c.full_weight_shape[0]):
            return False, f"8-bit weights need one scale for each output, not one for each {c.group_size} inputs"
        return True, None

    def process_weights_after_loading(self, layer: Any) -> None:
        """Unpack from the GPTQ layout once; the checkpoint's tensors are released."""
        packed, scales = getattr(layer, self.w_q_name), getattr(layer, self.w_s_name)
        codes = unpack_quantized_values_into_int32(packed.data, self.config.weight_type, packed.packed_dim)
        codes = (codes.t() if packed.input_dim == 0 else codes) - ZERO_CODE
        steps = scales.data.reshape(-1).to(self.config.act_type).contiguous()
        packed.data = codes.to(torch.int8).contiguous()
        scales.data = steps
        layer.int8_weights = ByteWeights(packed.data, steps.float().unsqueeze(1))
        if self.w_zp_name is not None:
            setattr(layer, self.w_zp_name, None)

    def apply_weights(self, layer: Any, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """`x` times the weight, plus the bias."""
        rows = x.reshape(-1, x.shape[-1]).contiguous()
        if len(rows) >= MANY_ROWS:
            product: Tensor = layer.int8_weights.multiply(rows)
        else:
            codes, steps = getattr(layer, self.w_q_name), getattr(layer, self.w_s_name)
            product = torch.ops.aten._weight_int8pack_mm(rows, codes.data, steps.data)
        product = product.reshape(*x.shape[:-1], -1)
        return product if bias is None else product + bias


def register() -> None:
    """Let vLLM load 8-bit GPTQ weights in this process, where it runs on a CPU."""
    if not current_platform.is_cpu():
        return
    register_linear_kernel(TorchInt8LinearKernel, PlatformEnum.CPU)
    supported: Any = marlin_utils._query_cpu_marlin_supported_quant_types

    def with_int8(has_zp: bool | None = None, include_fp_type: bool = True) -> list[Any]:
        found = list(supported(has_zp, include_fp_type))
        return found if has_zp else [*found, scalar_types.uint8b128]

    marlin_utils._query_cpu_marlin_supported_quant_types = with_int8
