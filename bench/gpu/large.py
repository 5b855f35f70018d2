"""A model of Qwen1.5-1.8B's shape with random GPTQ Int4 weights in groups of 128: where no larger model can be fetched, its
speed can still be measured. It speaks with the packaged model's tokenizer, and says nothing.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from inference_worker.engine.weights import gptq

WIDTH, INNER, LAYERS, VOCABULARY, GROUP, HEADS = 2048, 5504, 24, 151_936, 128, 16
ZEROS = 0x77777777  # eight times the code of zero, less one as the layout wants it
MARK = "made"


def make_large(folder: Path, *, tokenizer: Path, known_tokens: int) -> Path:
    """The checkpoint folder, made once (about 1.8 GB). Tokens that the tokenizer does not know are never likely."""
    if (folder / MARK).exists():
        return folder
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file(_tensors(known_tokens), str(folder / "model.safetensors"), {"format": "pt"})
    (folder / "config.json").write_text(json.dumps(_config()))
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        if (tokenizer / name).exists():
            shutil.copy(tokenizer / name, folder / name)
    (folder / MARK).touch()
    return folder


def _tensors(known_tokens: int) -> dict[str, Any]:
    import torch

    draw = torch.Generator().manual_seed(1)
    tensors: dict[str, Any] = {}

    def linear(stem: str, inputs: int, outputs: int, *, bias: bool = False) -> None:
        words = torch.randint(-(2**31), 2**31 - 1, (inputs // 8, outputs), dtype=torch.int32, generator=draw)
        tensors[f"{stem}.qweight"] = words
        tensors[f"{stem}.qzeros"] = torch.full((inputs // GROUP, outputs // 8), ZEROS, dtype=torch.int32)
        scales = torch.rand(inputs // GROUP, outputs, generator=draw) * 0.004 + 0.0025
        tensors[f"{stem}.scales"] = scales.half()
        tensors[f"{stem}.g_idx"] = (torch.arange(inputs) // GROUP).to(torch.int32)
        if bias:
            tensors[f"{stem}.bias"] = torch.zeros(outputs, dtype=torch.float16)

    for number in range(LAYERS):
        layer = f"model.layers.{number}"
        for name in ("q_proj", "k_proj", "v_proj"):
            linear(f"{layer}.self_attn.{name}", WIDTH, WIDTH, bias=True)
        linear(f"{layer}.self_attn.o_proj", WIDTH, WIDTH)
        linear(f"{layer}.mlp.gate_proj", WIDTH, INNER)
        linear(f"{layer}.mlp.up_proj", WIDTH, INNER)
        linear(f"{layer}.mlp.down_proj", INNER, WIDTH)
        for name in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"{layer}.{name}.weight"] = torch.ones(WIDTH, dtype=torch.float16)
    tensors["model.norm.weight"] = torch.ones(WIDTH, dtype=torch.float16)
    tensors["model.embed_tokens.weight"] = (torch.randn(VOCABULARY, WIDTH, generator=draw) * 0.02).half()
    head = torch.randn(VOCABULARY, WIDTH, generator=draw) * 0.02
    head[known_tokens:] = 0
    tensors["lm_head.weight"] = head.half()
    return tensors


def _config() -> dict[str, Any]:
    return {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "hidden_act": "silu",
        "hidden_size": WIDTH,
        "intermediate_size": INNER,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS,
        "max_position_embeddings": 32_768,
        "max_window_layers": 21,
        "rms_norm_eps": 1e-6,
        "rope_theta": 1_000_000.0,
        "use_sliding_window": False,
        "tie_word_embeddings": False,
        "vocab_size": VOCABULARY,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "torch_dtype": "float16",
        "quantization_config": gptq.config(GROUP),
    }
