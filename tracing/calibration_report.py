"""The calibration report for people: figures, reliability diagram (SVG) and what they mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tracing.calibration import (
    BINS,
    FOLDS,
    HIGH_PROBABILITY,
    MEDIUM_PROBABILITY,
    MIN_LABELS,
    MIN_OF_EACH_KIND,
    Bin,
    ConfidenceModel,
    LabelledAnswer,
)

PLOT = 400
MARGIN = 56


def write_report(path: Path, model: ConfidenceModel, answers: Sequence[LabelledAnswer]) -> None:
    """Write `path` (Markdown) and the diagram beside it with the suffix .svg."""
    diagram = path.with_suffix(".svg")
    diagram.write_text(reliability_diagram(model.bins), encoding="utf-8")
    path.write_text(report(model, answers, diagram=diagram.name), encoding="utf-8")


def report(model: ConfidenceModel, answers: Sequence[LabelledAnswer], *, diagram: str) -> str:
    """The whole report as Markdown."""
    sources = Counter((answer.source, answer.language, answer.is_right) for answer in answers)
    names = sorted({(source, language) for source, language, _ in sources})
    rows = [
        f"| {source} | {language} | {sources[source, language, True] + sources[source, language, False]} "
        f"| {sources[source, language, True]} |"
        for source, language in names
    ]
    weights = [f"| {part.name.replace('_', ' ')} | {part.weight:.3f} | {part.mean:.3f} |" for part in model.weights]
    bins = [f"| {each.answers} | {each.predicted:.3f} | {each.right:.3f} |" for each in model.bins]
    left_out = ", ".join(name.replace("_", " ") for name in model.left_out) or "none"
    return "\n".join(
        [
            "# Calibrated confidence",
            "",
            "Made by `manage.py calibrate_confidence --labels FILE --report docs/confidence.md`; the labels come from",
            "`manage.py evaluate_answers --labels FILE`. Run both again on your own questions: this page tells how it",
            "went on public question sets, not how it goes with your articles.",
            "",
            f"A logistic regression ({model.library}) learns from labelled answers how often an answer with such evidence",
            "is right. No weight is negative, so better evidence never lowers the confidence; a part whose weight came",
            f"out negative is left out ({left_out}). Every figure is out of fold ({FOLDS} folds). Fewer than {MIN_LABELS}",
            f"labels, or fewer than {MIN_OF_EACH_KIND} right or wrong ones, are refused, and until then every answer says",
            '"not calibrated".',
            "",
            f"Version `{model.version}`; SHA-256 of the labelled answers `{model.data_hash}`.",
            "",
            "| questions from | language | answers | right |",
            "|---|---|---|---|",
            *rows,
            "",
            f"- Expected calibration error: **{model.expected_calibration_error:.3f}** ({BINS} bins of equal size)",
            f"- Brier score: {model.brier:.4f}; always guessing the base rate gives {model.brier_of_base_rate:.4f}",
            f"- AUROC (does it rank right answers above wrong ones?): {model.auroc:.3f}",
            "",
            f"![Reliability diagram: predicted against observed share of right answers]({diagram})",
            "",
            "| answers in the bin | predicted | right |",
            "|---|---|---|",
            *bins,
            "",
            "| part | weight per standard deviation | mean |",
            "|---|---|---|",
            *weights,
            "",
            f"Bands: high from {HIGH_PROBABILITY:.2f}, medium from {MEDIUM_PROBABILITY:.2f} of the calibrated probability.",
            "The probability itself is shown only in the opened report, beside the band.",
            "",
        ]
    )


def reliability_diagram(bins: Sequence[Bin]) -> str:
    """Predicted probability (x) against the share that was right (y); a dot's area is its number of answers."""
    side = PLOT + 2 * MARGIN
    most = max(each.answers for each in bins)
    dots = "".join(
        f'<circle cx="{_x(each.predicted):.1f}" cy="{_y(each.right):.1f}" r="{4 + 6 * (each.answers / most) ** 0.5:.1f}" '
        f'fill="#2f6f4f"><title>{each.answers} answers: predicted {each.predicted:.2f}, right {each.right:.2f}</title>'
        "</circle>"
        for each in bins
    )
    ticks = "".join(
        f'<text x="{_x(value):.1f}" y="{_y(0) + 20:.1f}" text-anchor="middle">{value:g}</text>'
        f'<text x="{_x(0) - 8:.1f}" y="{_y(value) + 4:.1f}" text-anchor="end">{value:g}</text>'
        for value in (0, 0.25, 0.5, 0.75, 1)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" width="{side}" height="{side}" '
        'role="img" font-family="system-ui, sans-serif" font-size="13" fill="#333">'
        "<title>Reliability diagram</title>"
        f'<rect width="{side}" height="{side}" fill="#fff"/>'
        f'<rect x="{MARGIN}" y="{MARGIN}" width="{PLOT}" height="{PLOT}" fill="none" stroke="#999"/>'
        f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="#999" stroke-dasharray="5 5"/>'
        f"{ticks}{dots}"
        f'<text x="{_x(0.5):.1f}" y="{side - 12}" text-anchor="middle">predicted probability that the answer is right</text>'
        f'<text x="16" y="{_y(0.5):.1f}" text-anchor="middle" transform="rotate(-90 16 {_y(0.5):.1f})">'
        "share that was right</text></svg>\n"
    )


def _x(value: float) -> float:
    return MARGIN + PLOT * value


def _y(value: float) -> float:
    return MARGIN + PLOT * (1 - value)
