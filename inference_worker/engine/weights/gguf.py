"""Read a GGUF file as NumPy weights, a `config.json`, and a byte-level BPE tokenizer.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Only what the known chat models use is read:
architecture `llama` with the `smollm` splitting rules, and `qwen2` with its own, both with the tokenizer `gpt2`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from gguf import GGUFReader, dequantize
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

# Token types of gguf: special ones, ones that are matched whole, rows that only round the vocabulary up.
CONTROL_TOKEN, USER_DEFINED_TOKEN, UNUSED_TOKEN = 3, 4, 5
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


QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@dataclass(frozen=True, slots=True)
class Family:
    """What tells the architectures apart.

    `is_permuted` says whether llama.cpp interleaved the halves of queries' and keys' heads, `splitting` names the
    tokenizer's rules, `extra` are its own entries of config.json.
    """

    architecture: str
    is_permuted: bool
    splitting: str
    extra: Mapping[str, object]


FAMILIES = {
    "llama": Family("LlamaForCausalLM", True, "smollm", {"attention_bias": False, "mlp_bias": False}),
    "qwen2": Family("Qwen2ForCausalLM", False, "qwen2", {"use_sliding_window": False}),
}


class GGUFModel:
    """An opened GGUF file; tensors are dequantized one at a time.

    `is_tied` says that `output.weight`, where the file has it, is the token embedding once more in a better
    quantization: then it stands for both. Raises ValueError for a file that is not of a known family.
    """

    def __init__(self, path: Path, *, is_tied: bool = False) -> None:
        self._reader = GGUFReader(path)
        self.kind = str(self.field("general.architecture"))
        if self.kind not in FAMILIES or self.field("tokenizer.ggml.model") != "gpt2":
            raise ValueError(f"{path.name} is no {' or '.join(FAMILIES)} model with a byte-level BPE tokenizer")
        self._family = FAMILIES[self.kind]
        has_output = any(tensor.name == "output.weight" for tensor in self._reader.tensors)
        self._outer = OUTER_NAMES
        if is_tied and has_output:
            self._outer = {"output": OUTER_NAMES["token_embd"], "output_norm": OUTER_NAMES["output_norm"]}
        self._is_tied = is_tied or not has_output

    def field(self, name: str) -> Any:
        """Value of a metadata field, None when it is absent."""
        field = self._reader.get_field(name)
        return None if field is None else field.contents()

    def _own(self, name: str) -> Any:
        return self.field(f"{self.kind}.{name}")

    def __len__(self) -> int:
        return len(self._reader.tensors)

    def tensors(self) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
        """Hugging Face parameter names with float32 values."""
        heads = {"attn_q": self._own("attention.head_count"), "attn_k": self._own("attention.head_count_kv")}
        for tensor in self._reader.tensors:
            *block, part, kind = tensor.name.split(".")
            if not block and part not in self._outer:
                continue
            values = np.asarray(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
            if part in heads and self._family.is_permuted:
                values = _undo_rotary_permutation(values, heads[part])
            prefix = f"model.layers.{block[1]}.{BLOCK_NAMES[part]}" if block else self._outer[part]
            yield f"{prefix}.{kind}", values

    def config(self) -> dict[str, object]:
        """Contents of config.json."""
        width, heads = self._own("embedding_length"), self._own("attention.head_count")
        return {
            "architectures": [self._family.architecture],
            "model_type": self.kind,
            "hidden_act": "silu",
            "hidden_size": width,
            "head_dim": width // heads,
            "intermediate_size": self._own("feed_forward_length"),
            "num_hidden_layers": self._own("block_count"),
            "num_attention_heads": heads,
            "num_key_value_heads": self._own("attention.head_count_kv"),
            "max_position_embeddings": self._own("context_length"),
            "rms_norm_eps": float(f"{self._own('attention.layer_norm_rms_epsilon'):.3g}"),
            "rope_theta": float(self._own("rope.freq_base")),
            "vocab_size": self._own("vocab_size") or len(self.field("tokenizer.ggml.tokens")),
            "tie_word_embeddings": self._is_tied,
            **self._family.extra,
            "bos_token_id": self.field("tokenizer.ggml.bos_token_id"),
            "eos_token_id": self.field("tokenizer.ggml.eos_token_id"),
            "pad_token_id": self.field("tokenizer.ggml.padding_token_id"),
            "torch_dtype": "bfloat16",
            "transformers_version": CONFIG_FORMAT,
        }

    def generation_config(self) -> dict[str, object]:
        """Contents of generation_config.json: the tokens that begin, end and fill a text.

        A Qwen2 text ends at the end of a turn and at the end of a text, which is also its `bos`.
        """
        begin, end, fill = (self.field(f"tokenizer.ggml.{name}_token_id") for name in ("bos", "eos", "padding"))
        ends = [end, begin] if self.kind == "qwen2" else end
        return {"bos_token_id": begin, "eos_token_id": ends, "pad_token_id": fill}

    def tokenizer(self) -> Tokenizer:
        """The byte-level BPE tokenizer with the family's splitting rules."""
        if self.field("tokenizer.ggml.pre") != self._family.splitting:
            raise ValueError(f"only the `{self._family.splitting}` splitting rules are known")
        pieces, kinds = self.field("tokenizer.ggml.tokens"), self.field("tokenizer.ggml.token_type")
        merges = [tuple(merge.split(" ")) for merge in self.field("tokenizer.ggml.merges")]
        vocabulary = {piece: i for i, piece in enumerate(pieces) if kinds[i] != UNUSED_TOKEN}
        tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
        if self._family.splitting == "qwen2":
            tokenizer.normalizer = normalizers.NFC()
            split = [
                pre_tokenizers.Split(Regex(QWEN2_SPLIT), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        else:  # every digit is a token of its own
            split = [
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False),
            ]
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(split)
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.add_special_tokens([AddedToken(piece, special=True, normalized=False) for piece in self._control()])
        plain = [piece for piece, kind in zip(pieces, kinds, strict=True) if kind == USER_DEFINED_TOKEN]
        tokenizer.add_tokens([AddedToken(piece, special=False, normalized=False) for piece in plain])
        return tokenizer

    def tokenizer_config(self) -> dict[str, object]:
        """Contents of tokenizer_config.json."""
        pieces = self.field("tokenizer.ggml.tokens")
        names = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}
        ids = {role: self.field(f"tokenizer.ggml.{name}_token_id") for role, name in names.items()}
        if self.kind == "qwen2":  # its texts have no token in front
            del ids["bos"]
        return {
            "tokenizer_class": "PreTrainedTokenizerFast",
            **{f"{role}_token": pieces[number] for role, number in ids.items() if number is not None},
            "additional_special_tokens": self._control(),
            "chat_template": self.field("tokenizer.chat_template"),
            "clean_up_tokenization_spaces": False,
            "model_max_length": self._own("context_length"),
        }

    def _control(self) -> list[str]:
        kinds = self.field("tokenizer.ggml.token_type")
        pieces = self.field("tokenizer.ggml.tokens")
        return [piece for piece, kind in zip(pieces, kinds, strict=True) if kind == CONTROL_TOKEN]


def _undo_rotary_permutation(weight: npt.NDArray[np.float32], heads: int) -> npt.NDArray[np.float32]:
    """llama.cpp interleaves the two halves of each head's query and key rows; put them back one after the other."""
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)
