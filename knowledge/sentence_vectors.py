"""How the vectors of a passage's sentences are stored: one row each, half precision, in one column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from knowledge.models import EMBEDDING_DIMENSIONS

_STORED = np.dtype("<f2")


def write_sentence_vectors(vectors: Sequence[Sequence[float]]) -> bytes:
    """The matrix as it is stored."""
    return np.asarray(vectors, _STORED).tobytes()


def read_sentence_vectors(stored: bytes | memoryview | None, *, sentences: int) -> npt.NDArray[np.float32] | None:
    """The stored matrix, one row for each sentence; None when there is none or it does not fit the sentences."""
    if stored is None:
        return None
    matrix = np.frombuffer(bytes(stored), _STORED)
    if matrix.size != sentences * EMBEDDING_DIMENSIONS:
        return None
    return matrix.reshape(sentences, EMBEDDING_DIMENSIONS).astype(np.float32)
