"""The tenant's calibration in force: stored, read, and applied to an answer's confidence. Inside `tenant_atomic`."""

from __future__ import annotations

from dataclasses import replace

from tracing.calibration import ConfidenceModel, band_of
from tracing.content import Confidence
from tracing.models import Calibration
from tracing.plain import from_plain, to_plain


def adopt(model: ConfidenceModel) -> Calibration:
    """Put a fitted calibration in force for the current tenant."""
    row: Calibration = Calibration.objects.create(version=model.version, model=to_plain(model))
    return row


def in_force() -> ConfidenceModel | None:
    """The newest calibration; None until one was made."""
    row = Calibration.objects.first()
    return None if row is None else from_plain(ConfidenceModel, row.model)


def calibrated(confidence: Confidence, model: ConfidenceModel | None) -> Confidence:
    """The confidence with its calibrated probability and band.

    Unchanged without a model or without a measurement, across languages, and for an answer that does not speak of what the
    question names: no labelled answer was of that kind.
    """
    if (
        model is None
        or confidence.token_probability is None
        or confidence.across_languages
        or confidence.is_unmentioned
    ):
        return confidence
    probability = model.probability(confidence)
    return replace(
        confidence,
        band=band_of(probability),
        calibrated=True,
        probability=round(probability, 6),
        calibration=model.version,
    )
