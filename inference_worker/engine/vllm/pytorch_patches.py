"""Every name of PyTorch that is replaced or reached into, all of them in vLLM's processes on a CPU."""

from __future__ import annotations

from helpdesk.private_names import Library, at

PYTORCH = Library(
    name="PyTorch",
    distributions=("torch",),
    tested=("2.13.0",),
    names=(
        *at(
            "torch",
            ("Generator", ""),
            where="extensions/generators.py",
            why="seeded generators can be rewound, which CPU ones cannot",
            missing="a request with a seed whose prompt takes two steps ends the engine",
            source="https://github.com/pytorch/pytorch/pull/99565",
        ),
        *at(
            "torch",
            ("ops.aten._convert_weight_to_int4pack_for_cpu", ""),
            ("ops.aten._weight_int4pack_mm_for_cpu", ""),
            where="extensions/avx2.py",
            why="4-bit products on processors without AVX512",
            missing="4-bit models do not load there",
        ),
        *at(
            "torch",
            ("ops.aten._weight_int8pack_mm", ""),
            where="extensions/int8.py",
            why="8-bit products on a CPU",
            missing="an AttributeError ends the engine at its first step",
        ),
        *at(
            "torch",
            ("ops._C", ""),
            where="extensions/avx2.py",
            why="vLLM's own operators are registered there: whether its kernels are present on this processor",
            missing="no worker starts",
        ),
    ),
)
