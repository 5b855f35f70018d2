"""Numbers and codes of a trace as words for the person who reads the report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from django.utils.formats import localize, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from tracing.content import Missing


def milliseconds(value: float) -> str:
    """A duration with three significant digits, in milliseconds or seconds."""
    if value < 999.5:
        return _("%(number)s ms") % {"number": localize(round(value, 1) if value < 10 else round(value))}
    return _("%(number)s s") % {"number": localize(round(value / 1000, 2 if value < 100_000 else 1))}


def count(value: int) -> str:
    """A whole number with its digits in groups."""
    return str(number_format(value, force_grouping=True))


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
        "cache_similar": _("Looking for a similar question"),
        "repeat": _("Reusing the answer"),
        "embed": _("Understanding the question"),
        "retrieve": pgettext("step", "Searching the articles"),
        "index": pgettext("step", "Indexing what was found"),
        "rerank": _("Reranking the best sentences"),
        "select": _("Choosing sentences"),
        "prompt": _("Building the prompt"),
        "first_token": _("First token"),
        "decode": pgettext("step", "Writing"),
        "first_sentence": _("Until first sentence checked"),
        "check": _("Checking against the articles"),
        "translate": _("Translating what is quoted"),
        "store": _("Saving the answer"),
    }
    return known.get(name) or name.replace("_", " ")


def step_words(names: Sequence[str]) -> list[str]:
    """The steps in order; a second pass, as a question that refers to an earlier one makes, is said to be one."""
    words = [step_word(name) for name in names]
    return [
        _("%(step)s, again") % {"step": word} if word in words[:index] else word for index, word in enumerate(words)
    ]


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


def cut_words(kind: str, reference: str, title: str) -> str:
    """What the prompt's budget cut: `reference` ends in the number of a message, `title` is that of a passage's article."""
    if kind == "history":
        return _("Message %(number)s of the conversation") % {"number": reference.rpartition(" ")[2]}
    if kind == "passage":
        return _("Passage from “%(title)s”") % {"title": title or reference}
    known = {"instructions": _("Company instructions"), "question": _("Middle of the question")}
    return known.get(kind, kind)


def search_word(name: str) -> str:
    """What scored a passage; one that has no words of its own here goes by its name."""
    known = {"dense": _("By meaning"), "lexical": _("By words"), "rerank": _("By reranker"), "fused": _("Combined")}
    return known.get(name, name)


def section_word(name: str) -> str:
    """A part of the prompt."""
    return {
        "system": _("Instructions"),
        "history": _("Earlier messages"),
        "knowledge": _("Passages"),
        "question": _("Question"),
    }.get(name, name)


def missing_words(missing: Sequence[Missing]) -> str:
    """What is missing, as the question writes it; a kind of quantity by its name."""
    kinds = {
        "power": _("a power"),
        "voltage": _("a voltage"),
        "volume": _("a volume"),
        "mass": _("a weight"),
        "length": _("a length"),
        "time": _("a time"),
        "money": _("a price"),
        "share": _("a percentage"),
    }
    shown = (kinds.get(each.text, each.text) if each.kind == "kind" else f"“{each.text}”" for each in missing)
    return _("missing: %(names)s") % {"names": _(", ").join(shown)}


def style_sentence(style: str) -> str:
    """What retrieval decided and what the engine decided."""
    if style == "quote":
        return _(
            "The search chose these sentences and the engine was limited to them. The probabilities show how likely "
            "the model itself found each token."
        )
    if style == "fixed":
        return _("A standard reply. Nothing was searched, no model wrote it, and it makes no claims.")
    if style == "free":
        return _(
            "The request went to the model alone: no articles were searched, and the answer wasn't checked. The "
            "probabilities show how likely the model found its own words, not whether they are true."
        )
    return _("The engine wrote freely from the passages in the prompt. What it wrote was checked against them.")


def stage_word(word: str) -> str:
    """A fixed word of a stage: its verdict, or what a figure measures; an unknown one keeps its name."""
    known = {
        "kept": _("all sentences shown"),
        "cut": _("some sentences removed"),
        "replaced": _("replaced by quotes"),
        "sentences": _("sentences:"),
        "milliseconds_each": _("ms per sentence:"),
        "milliseconds_at_most": _("longest, ms:"),
        "unsupported": _("without support:"),
        "number": _("wrong figures:"),
        "negation": _("contradicted:"),
        "all_found": _("all found"),
        "some_open": _("some not found"),
        "some_left": _("more than are answered at a time"),
        "asked": _("asked:"),
        "open": _("not found:"),
        "left": _("not looked at:"),
        "all_translated": _("all translated"),
        "not_all_translated": _("not all translated"),
        "quotes": _("quotes:"),
        "translated": _("translated:"),
    }
    return known.get(word) or word.replace("_", " ")


def cut_reason(reason: str) -> str:
    """Why a written sentence was not shown."""
    return {
        "unsupported": _("not in any passage"),
        "number": _("a number not in any passage"),
        "code": _("a code not in any passage"),
        "link": _("a link or address not in any passage"),
        "name": _("a name not in any passage"),
        "negation": _("contradicts a passage"),
        "citation": _("cites a passage that isn't there"),
        "endless": _("unfinished"),
        "alone": _("what it belongs to was removed"),
        "stopped": _("not checked: stopped"),
        "closed": _("not checked: writing was cut short"),
    }.get(reason, reason)


def translation_reason(reason: str) -> str:
    """Why a translation was not shown."""
    return {
        "number": _("other figures than the article's"),
        "code": _("other codes than the article's"),
        "link": _("other links or addresses than the article's"),
        "negation": _("denies what the article affirms, or the other way round"),
        "language": _("not in the customer's language"),
        "length": _("too short or too long for what the article says"),
        "cut": _("it had no end"),
        "late": _("it was not done in time"),
        "failed": _("the engine failed"),
    }.get(reason, reason)


def nothing_found(style: str) -> str:
    """Why there are no passages."""
    if style == "fixed":
        return _("Nothing was searched: the message wasn't a question for the articles.")
    if style == "free":
        return _("Nothing was searched: the request went to the model alone.")
    return _("The search found no passages.")


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
        "restriction": _("Limited to"),
    }
    return known.get(name, name)


def difference_value(value: str) -> str:
    """A value that is a word of ours; all others stay as they are."""
    return {"quotes": _("the quotes"), "none": _("nothing"), "": "–"}.get(value, value)


def policy_words(policy: Mapping[str, int | None]) -> str:
    """A retention policy in one line."""
    names = {"prompts": _("prompts"), "answers": _("answers"), "metrics": _("records")}
    days = {
        name: _("kept") if count is None else ngettext("%(days)s day", "%(days)s days", count) % {"days": count}
        for name, count in policy.items()
    }
    parts = [_("%(name)s: %(value)s") % {"name": names[name], "value": days[name]} for name in names if name in days]
    return _(", ").join(parts)
