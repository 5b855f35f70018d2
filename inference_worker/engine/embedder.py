"""Sentence vectors from a sentence-transformers model (multilingual-e5-small by default)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from inference_worker.engine.contract import EngineError
from inference_worker.engine.query_first import QueryFirstLock

E5_PREFIXES = ("query: ", "passage: ")
NO_PREFIXES = ("", "")


@dataclass(frozen=True, slots=True)
class EmbedderSettings:
    """What to load. `model` is a sentence-transformers folder or a hub name; `name` and `revision` are shown in traces.

    `prefixes` (query, passage) are chosen from the model's name when None. `threads` bounds the processor cores of one
    call, `batch_size` the passages that are in memory together. On a GPU (`device` cuda) the model takes about a gigabyte
    beside the engine's share, and is loaded before the engine measures what is free.
    """

    model: str
    name: str = ""
    revision: str = ""
    prefixes: tuple[str, str] | None = None
    threads: int = 1
    batch_size: int = 8
    device: str = "cpu"


class SentenceTransformerEmbedder:
    """Unit-length float32 vectors. Safe to call from several threads; calls take turns."""

    def __init__(self, settings: EmbedderSettings, *, fold: Callable[[str], str]) -> None:
        """Load the model (a few seconds, about 0.5 GB for the packaged one). Raises EngineError where there is no such device.

        `fold` gives each text the spelling in which the model reads it.
        """
        if Path(settings.model).is_dir():
            os.environ["HF_HUB_OFFLINE"] = "1"
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

        if settings.device == "cuda" and not torch.cuda.is_available():
            message = "GLASSDESK_EMBEDDING_DEVICE is cuda, but PyTorch finds no GPU here: set it to cpu."
            raise EngineError(message, retryable=False)
        self.settings = settings
        self._fold = fold
        self._torch = torch
        self._turns = QueryFirstLock()
        torch.set_num_threads(settings.threads)
        quiet: Any = transformers_logging
        quiet.disable_progress_bar()
        quiet.set_verbosity_error()
        self._model: Any = SentenceTransformer(settings.model, device=settings.device)
        self._model.eval()
        self._query_prefix, self._passage_prefix = settings.prefixes or default_prefixes(
            settings.name or settings.model
        )
        self.dimensions: int = int(self._model.get_embedding_dimension() or 0)

    def embed_query(self, text: str) -> list[float]:
        """Vector of a search query."""
        with self._turns.query():
            return self._encode([self._query_prefix + text])[0]

    def embed_passages(self, texts: Sequence[str], *, is_urgent: bool = False) -> list[list[float]]:
        """Vectors of passages, in the order given. Queries and urgent passages go first between batches."""
        turn = self._turns.query if is_urgent else self._turns.background
        by_length = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        vectors: list[list[float]] = [[] for _ in texts]
        for start in range(0, len(by_length), self.settings.batch_size):
            batch = by_length[start : start + self.settings.batch_size]
            with turn():
                computed = self._encode([self._passage_prefix + texts[i] for i in batch])
            for i, vector in zip(batch, computed, strict=True):
                vectors[i] = vector
        return vectors

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` in the embedding model's vocabulary, without prefix and special tokens."""
        with self._turns.background():
            return len(self._model.tokenizer.encode(text, add_special_tokens=False, truncation=False, verbose=False))

    def tokenizer_of(self, model: str) -> Any | None:
        """The tokenizer, for others who read texts as that model does (a `tokenizers.Tokenizer`); None for another model."""
        backend = getattr(self._model.tokenizer, "backend_tokenizer", None)
        return backend if Path(model) == Path(self.settings.model) else None

    def info(self) -> dict[str, str]:
        """Model name, revision, prefixes and library versions."""
        return {
            "model": self.settings.name or self.settings.model,
            "revision": self.settings.revision,
            "query_prefix": self._query_prefix,
            "passage_prefix": self._passage_prefix,
            "sentence-transformers": version("sentence-transformers"),
            "torch": str(self._torch.__version__),
        }

    def _encode(self, texts: list[str]) -> list[list[float]]:
        """One batch, each text folded; the model's own truncation (512 tokens for e5) applies."""
        with self._torch.inference_mode():
            vectors = self._model.encode(
                [self._fold(text) for text in texts],
                batch_size=len(texts),
                normalize_embeddings=True,
                show_progress_bar=False,
                convert_to_numpy=True,
            )
        rows: list[list[float]] = vectors.astype("float32").tolist()
        return rows


def default_prefixes(model: str) -> tuple[str, str]:
    """The (query, passage) prefixes that a model was trained with: those of the e5 family, otherwise none."""
    name = Path(model).name.lower()
    with contextlib.suppress(OSError):
        name += (Path(model) / "checkpoint.json").read_text().lower()
    return E5_PREFIXES if "e5-" in name and "instruct" not in name else NO_PREFIXES
