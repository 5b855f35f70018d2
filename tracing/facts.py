"""What answered and with which settings, as labelled values."""

from __future__ import annotations

from django.utils.translation import gettext as _

from tracing import words
from tracing.content import EngineRecord, TraceContent


def features(content: TraceContent) -> list[tuple[str, str]]:
    """What the gate measured."""
    measured = content.selection.features if content.selection else {}
    return [(name.replace("_", " "), words.number(value)) for name, value in measured.items()]


def stage_facts(content: TraceContent) -> list[tuple[str, str]]:
    """What further stages of answering found: the verdict, and the figures behind it."""
    return [
        (words.step_word(stage.stage), ", ".join([words.stage_word(stage.verdict), *_figures(stage.figures)]))
        for stage in content.stages
    ]


def _figures(figures: dict[str, float]) -> list[str]:
    return [f"{words.stage_word(name)} {words.number(value)}" for name, value in figures.items()]


def engine_facts(content: TraceContent) -> list[tuple[str, str]]:
    """Model, engine, device and libraries; embedder and reranker."""
    facts = _facts_of_engine(content.engine) if content.engine else []
    embedder, reranker = content.embedder or {}, content.reranker or {}
    facts += [(_embedder_label(name), embedder[name]) for name in embedder if embedder[name]]
    return facts + [(_reranker_label(name), reranker[name]) for name in reranker if reranker[name]]


def _embedder_label(name: str) -> str:
    """What is recorded of the embedder; libraries keep their names."""
    known = {
        "model": _("Embedder"),
        "revision": _("Embedder revision"),
        "query_prefix": _("Embedder prefix for questions"),
        "passage_prefix": _("Embedder prefix for passages"),
    }
    return known.get(name) or _("Embedder: %(name)s") % {"name": name}


def _reranker_label(name: str) -> str:
    """What is recorded of the reranker; libraries keep their names."""
    known = {
        "model": _("Reranker"),
        "revision": _("Reranker revision"),
        "base": _("Reranker base model"),
        "precision": _("Reranker precision"),
    }
    return known.get(name) or _("Reranker: %(name)s") % {"name": name}


def _facts_of_engine(engine: EngineRecord) -> list[tuple[str, str]]:
    facts = [
        (_("Model"), engine.model),
        (_("Revision"), engine.revision),
        (_("Quantization"), engine.quantization),
        (_("Engine"), f"{engine.engine} {engine.engine_version}"),
        (_("Device"), engine.device),
        (_("Context window"), words.count(engine.max_model_len)),
        *engine.libraries.items(),
    ]
    return [(name, value) for name, value in facts if value]


def sampling_facts(content: TraceContent, finish_reason: str) -> list[tuple[str, str]]:
    """How tokens were picked and why generation ended."""
    sampling = content.sampling
    if sampling is None:
        return []
    facts = [
        (_("Temperature"), f"{sampling.temperature:g}"),
        (_("Top p"), f"{sampling.top_p:g}"),
        (_("Token limit"), words.count(sampling.max_tokens)),
        (_("Seed"), "" if sampling.seed is None else str(sampling.seed)),
        (_("Alternatives recorded"), str(sampling.top_logprobs)),
        (_("Stop sequences"), ", ".join(repr(text) for text in sampling.stop)),
        (_("Ended because"), words.finish_word(finish_reason)),
    ]
    return [(name, value) for name, value in facts if value]
