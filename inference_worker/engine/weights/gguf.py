"""Read a Llama-architecture GGUF file as NumPy weights, a `config.json`, and a byte-level BPE tokenizer.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Only what the packaged chat model uses is read:
architecture `llama`, tokenizer `gpt2` with the `smollm` splitting rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from gguf import GGUFReader, dequantize
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

CONTROL_TOKEN = 3  # gguf token type of special tokens
CONFIG_FORMAT = "4.57.0"  # the transformers release whose config.json keys are used

BLOCK_NAMES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
OUTER_NAMES = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


class GGUFModel:
    """An opened GGUF file; tensors are dequantized one at a time."""

    def __init__(self, path: Path) -> None:
        self._reader = GGUFReader(path)
        if self.field("general.architecture") != "llama" or self.field("tokenizer.ggml.model") != "gpt2":
            raise ValueError(f"{path.name} is no Llama-architecture model with a byte-level BPE tokenizer")

    def field(self, name: str) -> Any:
        """Value of a metadata field, None when it is absent."""
        field = self._reader.get_field(name)
        return None if field is None else field.contents()

    def __len__(self) -> int:
        return len(self._reader.tensors)

    def tensors(self) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
        """Hugging Face parameter names with float32 values."""
        heads = {
            "attn_q": self.field("llama.attention.head_count"),
            "attn_k": self.field("llama.attention.head_count_kv"),
        }
        for tensor in self._reader.tensors:
            *block, part, kind = tensor.name.split(".")
            values = np.asarray(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
            if part in heads:
                values = _undo_rotary_permutation(values, heads[part])
            prefix = f"model.layers.{block[1]}.{BLOCK_NAMES[part]}" if block else OUTER_NAMES[part]
            yield f"{prefix}.{kind}", values

    def config(self) -> dict[str, object]:
        """Contents of config.json for `LlamaForCausalLM`."""
        width, heads = self.field("llama.embedding_length"), self.field("llama.attention.head_count")
        return {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_act": "silu",
            "hidden_size": width,
            "head_dim": width // heads,
            "intermediate_size": self.field("llama.feed_forward_length"),
            "num_hidden_layers": self.field("llama.block_count"),
            "num_attention_heads": heads,
            "num_key_value_heads": self.field("llama.attention.head_count_kv"),
            "max_position_embeddings": self.field("llama.context_length"),
            "rms_norm_eps": float(f"{self.field('llama.attention.layer_norm_rms_epsilon'):.3g}"),
            "rope_theta": float(self.field("llama.rope.freq_base")),
            "vocab_size": self.field("llama.vocab_size"),
            "tie_word_embeddings": all(tensor.name != "output.weight" for tensor in self._reader.tensors),
            "attention_bias": False,
            "mlp_bias": False,
            "bos_token_id": self.field("tokenizer.ggml.bos_token_id"),
            "eos_token_id": self.field("tokenizer.ggml.eos_token_id"),
            "pad_token_id": self.field("tokenizer.ggml.padding_token_id"),
            "torch_dtype": "bfloat16",
            "transformers_version": CONFIG_FORMAT,
        }

    def tokenizer(self) -> Tokenizer:
        """The byte-level BPE tokenizer; digits are always tokens of their own (`smollm` rules)."""
        if self.field("tokenizer.ggml.pre") != "smollm":
            raise ValueError("only the `smollm` splitting rules are known")
        pieces = self.field("tokenizer.ggml.tokens")
        merges = [tuple(merge.split(" ")) for merge in self.field("tokenizer.ggml.merges")]
        tokenizer = Tokenizer(models.BPE(vocab={piece: i for i, piece in enumerate(pieces)}, merges=merges))
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.add_special_tokens([AddedToken(piece, special=True, normalized=False) for piece in self._control()])
        return tokenizer

    def tokenizer_config(self) -> dict[str, object]:
        """Contents of tokenizer_config.json."""
        pieces = self.field("tokenizer.ggml.tokens")
        names = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}
        roles = {f"{role}_token": pieces[self.field(f"tokenizer.ggml.{name}_token_id")] for role, name in names.items()}
        return {
            "tokenizer_class": "PreTrainedTokenizerFast",
            **roles,
            "additional_special_tokens": self._control(),
            "chat_template": self.field("tokenizer.chat_template"),
            "clean_up_tokenization_spaces": False,
            "model_max_length": self.field("llama.context_length"),
        }

    def _control(self) -> list[str]:
        kinds = self.field("tokenizer.ggml.token_type")
        pieces = self.field("tokenizer.ggml.tokens")
        return [piece for piece, kind in zip(pieces, kinds, strict=True) if kind == CONTROL_TOKEN]


def _undo_rotary_permutation(weight: npt.NDArray[np.float32], heads: int) -> npt.NDArray[np.float32]:
    """llama.cpp interleaves the two halves of each head's query and key rows; put them back one after the other."""
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)
