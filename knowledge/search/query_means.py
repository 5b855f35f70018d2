"""The mean vectors of questions and of passages in each language, for comparing a question with passages of another one.

The language of a text moves its e5 vector more than its subject does. Subtracting the mean of many questions from a
question, and the mean of the tenant's passages from a passage, leaves the subject. The shipped means come from the
questions of four collections (the demo companies, XQuAD, CMRC 2018, CLINC150) and belong to one model; with another
model the tenant's own passages in the question's language stand in. The mean of passages is that of XQuAD and of invented help
centres; it steadies the mean of a tenant that has few passages in a language, which is mostly their own subject.
"""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float32]


def query_mean(language: str, *, embedded_with: str) -> Vector | None:
    """The mean question of that language, if the vectors are of the model that it was measured with."""
    return _shipped("means").get(language) if _model() in embedded_with else None


def passage_mean(language: str, *, embedded_with: str) -> Vector | None:
    """The mean passage of that language, if the vectors are of the model that it was measured with."""
    return _shipped("passage_means").get(language) if _model() in embedded_with else None


@cache
def _stored() -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(Path(__file__).with_name("query_means.json").read_text(encoding="utf-8"))
    return stored


def _model() -> str:
    return str(_stored()["model"])


@cache
def _shipped(name: str) -> dict[str, Vector]:
    return {
        language: np.frombuffer(base64.b64decode(encoded), "<f2").astype(np.float32)
        for language, encoded in _stored()[name].items()
    }
