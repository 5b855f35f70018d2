"""The mean vector of questions in each language, for comparing a question with passages of another language.

The language of a text moves its e5 vector more than its subject does. Subtracting the mean of many questions from a
question, and the mean of the tenant's passages from a passage, leaves the subject. The shipped means come from the
questions of four collections (the demo companies, XQuAD, CMRC 2018, CLINC150) and belong to one model; with another
model the tenant's own passages in the question's language stand in.
"""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float32]


def query_mean(language: str, *, embedded_with: str) -> Vector | None:
    """The mean question of that language, if the vectors are of the model that it was measured with."""
    model, means = _shipped()
    return means.get(language) if model in embedded_with else None


@cache
def _shipped() -> tuple[str, dict[str, Vector]]:
    stored = json.loads(Path(__file__).with_name("query_means.json").read_text(encoding="utf-8"))
    means = {
        language: np.frombuffer(base64.b64decode(encoded), "<f2").astype(np.float32)
        for language, encoded in stored["means"].items()
    }
    return stored["model"], means
