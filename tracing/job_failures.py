"""Why an analysis ends without a result: the codes, and what whoever asked for it reads."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class JobFailure(TextChoices):
    """What ended an analysis."""

    NOTHING_TO_DO = "nothing_to_do"
    UNKNOWN_PASSAGE = "unknown_passage"
    MODEL_UNAVAILABLE = "model_unavailable"
    ENGINE = "engine"
    WORKER_LOST = "worker_lost"
    SEALING = "sealing"


_SENTENCES: Mapping[str, Promise] = {
    JobFailure.NOTHING_TO_DO: _("Nothing to measure: no text was generated from passages."),
    JobFailure.UNKNOWN_PASSAGE: _("A passage to leave out isn't in the recorded prompt."),
    JobFailure.MODEL_UNAVAILABLE: _(
        "No worker is serving the model this needs, so nothing was measured. Try again when one is, or replay the "
        "answer with another model."
    ),
    JobFailure.ENGINE: _("The engine failed several times. Try again later."),
    JobFailure.WORKER_LOST: _("The workers that tried this stopped responding. Try again later."),
    JobFailure.SEALING: _("The sealed content couldn't be opened, so nothing was measured."),
}


def sentence_of(code: str) -> str:
    """Why the analysis failed, and what to do; a code of another release is shown as it is."""
    return str(_SENTENCES.get(code, code))
