"""An embedder that computes no text twice: for asking the same articles again, with a sentence less or another day."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from inference_worker.answering.embedding import embedding_name
from inference_worker.engine.contract import Embedder


class Remembering:
    """Passages' vectors stay in memory, or in a file that outlives the process; questions' in memory when wanted.

    The file's entries are those of model, revision and text: another model finds none of them.
    """

    def __init__(self, embedder: Embedder, *, file: Path | None = None, questions: bool = False) -> None:
        self._embedder = embedder
        self._name = embedding_name(embedder)
        self._passages = sqlite3.connect(file or ":memory:")
        self._passages.execute("CREATE TABLE IF NOT EXISTS vectors (text BLOB PRIMARY KEY, vector BLOB NOT NULL)")
        self._questions: dict[str, list[float]] | None = {} if questions else None
        self.dimensions = embedder.dimensions

    def embed_query(self, text: str) -> list[float]:
        """As the embedder's own."""
        if self._questions is None:
            return self._embedder.embed_query(text)
        if text not in self._questions:
            self._questions[text] = self._embedder.embed_query(text)
        return self._questions[text]

    def embed_passages(self, texts: Sequence[str], *, is_urgent: bool = False) -> list[list[float]]:
        """As the embedder's own."""
        known = {text: vector for text in texts if (vector := self._known(text)) is not None}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            computed = zip(new, self._embedder.embed_passages(new, is_urgent=is_urgent), strict=True)
            known |= {text: self._keep(text, vector) for text, vector in computed}
            self._passages.commit()
        return [known[text] for text in texts]

    def count_tokens(self, text: str) -> int:
        """As the embedder's own."""
        return self._embedder.count_tokens(text)

    def info(self) -> dict[str, str]:
        """As the embedder's own."""
        return self._embedder.info()

    def _known(self, text: str) -> list[float] | None:
        row = self._passages.execute("SELECT vector FROM vectors WHERE text = ?", (self._digest(text),)).fetchone()
        return None if row is None else [float(number) for number in np.frombuffer(row[0], np.float32)]

    def _keep(self, text: str, vector: Sequence[float]) -> list[float]:
        row = (self._digest(text), np.asarray(vector, np.float32).tobytes())
        self._passages.execute("INSERT OR IGNORE INTO vectors VALUES (?, ?)", row)
        return list(vector)

    def _digest(self, text: str) -> bytes:
        return hashlib.sha256(f"{self._name}\n{text}".encode(errors="surrogatepass")).digest()
