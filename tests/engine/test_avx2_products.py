"""The products that stand in for vLLM's missing AVX2 kernels agree with each other and with plain arithmetic."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.engine


@pytest.mark.parametrize(("outputs", "inputs", "group"), [(96, 128, 64), (3072, 576, 64), (64, 1536, 128)])
def test_int4_product_of_many_rows_equals_that_of_few(outputs: int, inputs: int, group: int) -> None:
    import torch

    from inference_worker.engine.vllm.extensions.avx2 import INNER_TILES, ZERO_CODE, ByteWeights

    generator = torch.Generator().manual_seed(7)
    codes = torch.randint(0, 16, (outputs, inputs), dtype=torch.int32, generator=generator)
    steps = (torch.rand(inputs // group, outputs, generator=generator) / 50).to(torch.bfloat16)
    rows = torch.randn(40, inputs, generator=generator).to(torch.bfloat16)
    weights = ByteWeights((codes - ZERO_CODE).to(torch.int8), steps.t().float().contiguous())

    packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(codes, INNER_TILES)
    pairs = torch.stack([steps, torch.zeros_like(steps)], dim=-1).contiguous()
    few = torch.ops.aten._weight_int4pack_mm_for_cpu(rows, packed, group, pairs)
    plain = rows.float() @ ((codes - ZERO_CODE) * steps.t().float().repeat_interleave(group, dim=1)).t()

    torch.testing.assert_close(weights.multiply(rows).float(), plain, rtol=1e-2, atol=1e-2)
    torch.testing.assert_close(few.float(), plain, rtol=5e-2, atol=5e-2)


@pytest.mark.parametrize("count", [1, 11, 12, 40])
def test_int8_products_of_few_and_many_rows_equal_plain_arithmetic(count: int) -> None:
    import torch

    from inference_worker.engine.vllm.extensions.avx2 import ByteWeights

    generator = torch.Generator().manual_seed(7)
    codes = torch.randint(-128, 128, (96, 576), dtype=torch.int32, generator=generator).to(torch.int8)
    steps = (torch.rand(96, generator=generator) / 500).to(torch.bfloat16)
    rows = torch.randn(count, 576, generator=generator).to(torch.bfloat16)
    plain = rows.float() @ (codes.float() * steps.float().unsqueeze(1)).t()

    many = ByteWeights(codes, steps.float().unsqueeze(1)).multiply(rows)
    few = torch.ops.aten._weight_int8pack_mm(rows, codes, steps)
    torch.testing.assert_close(many.float(), plain, rtol=1e-2, atol=1e-2)
    torch.testing.assert_close(few.float(), plain, rtol=1e-2, atol=1e-2)
