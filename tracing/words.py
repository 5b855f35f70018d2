"""Numbers and codes of a trace as words for the person who reads the report."""

from __future__ import annotations

import math

from django.utils.formats import localize
from django.utils.translation import gettext as _


def milliseconds(value: float) -> str:
    """A duration with three significant digits, in milliseconds or seconds."""
    if value < 999.5:
        return _("%(number)s ms") % {"number": localize(round(value, 1) if value < 10 else round(value))}
    return _("%(number)s s") % {"number": localize(round(value / 1000, 2 if value < 100_000 else 1))}


def size(count: int) -> str:
    """A number of bytes in kB (1000) with one digit."""
    return _("%(number)s kB") % {"number": localize(round(count / 1000, 1))}


def percent(probability: float) -> str:
    """A probability in per cent; the ends are not rounded to certainty."""
    if probability > 0.9995:
        return ">99.9 %"
    if probability < 0.001:
        return "<0.1 %"
    return f"{probability * 100:.1f} %"


def number(value: float) -> str:
    """A score with as many digits as tell scores apart."""
    if value == 0:
        return "0"
    return f"{value:.{max(0, min(4, 2 - math.floor(math.log10(abs(value)))))}f}"


def band_word(band: str) -> str:
    """The band in words."""
    return {"low": _("low"), "medium": _("medium"), "high": _("high")}.get(band, band)


def step_word(name: str) -> str:
    """What happened in a step; an unknown step keeps its name."""
    known = {
        "queue": _("Waiting in the queue"),
        "cache": _("Looking for the same question"),
        "repeat": _("Giving the answer again"),
        "embed": _("Understanding the question"),
        "retrieve": _("Searching the articles"),
        "select": _("Choosing sentences"),
        "prompt": _("Composing the prompt"),
        "first_token": _("First token"),
        "decode": _("Writing"),
        "check": _("Checking against the articles"),
        "store": _("Storing the answer"),
    }
    return known.get(name) or name.replace("_", " ")


def author_word(author: str) -> str:
    """Who wrote a message."""
    words = {"customer": _("Customer"), "ai": _("AI"), "person": _("Person"), "system": _("System")}
    return words.get(author, author)


def role_word(role: str) -> str:
    """Whose turn a part of the prompt is."""
    return {"system": _("Instructions"), "user": _("Customer"), "assistant": _("AI")}.get(role, role)


def finish_word(reason: str) -> str:
    """Why generation ended."""
    words = {"stop": _("complete"), "length": _("token limit reached"), "abort": _("stopped")}
    return words.get(reason, reason)


def cut_word(kind: str) -> str:
    """What kind of thing the prompt's budget cut."""
    return {"history": _("Earlier message"), "passage": _("Passage")}.get(kind, kind)


def style_sentence(style: str) -> str:
    """What retrieval decided and what the engine decided."""
    if style == "quote":
        return _(
            "Retrieval chose these sentences; the engine was constrained to them; the probabilities show how likely "
            "the model itself found each token."
        )
    return _("The engine wrote freely from the passages in the prompt; the answer was checked against them afterwards.")


def verdict_word(verdict: str) -> str:
    """How a replay compares."""
    return {"exact": _("exact"), "approximate": _("approximate"), "changed": _("changed")}.get(verdict, verdict)


def difference_word(name: str) -> str:
    """What differed between an answer and its replay; libraries keep their names."""
    known = {
        "model": _("Model"),
        "revision": _("Revision"),
        "quantization": _("Quantization"),
        "engine": _("Engine"),
        "engine_version": _("Engine version"),
        "device": _("Device"),
        "max_model_len": _("Context window"),
        "passages": _("Passages in the prompt"),
        "restriction": _("Restricted to"),
    }
    return known.get(name, name)


def difference_value(value: str) -> str:
    """A value that is a word of ours; all others stay as they are."""
    return {"quotes": _("the quotes"), "none": _("nothing"), "": "–"}.get(value, value)


def job_error_word(code: str) -> str:
    """Why an analysis failed, and what to do."""
    known = {
        "nothing_to_do": _("There is nothing to measure: no text was generated from passages."),
        "unknown_passage": _("A passage to leave out did not stand in the recorded prompt."),
        "engine": _("The engine failed several times. Try again later."),
        "sealing": _("The sealed content could not be opened, so nothing was measured."),
    }
    return known.get(code, code)
