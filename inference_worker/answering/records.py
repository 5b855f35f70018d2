"""The values of search and engine as traces hold them: what a record leaves out, and under which names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from inference_worker.answering.prompt import TEMPLATE_VERSION
from inference_worker.answering.results import Generation, Translated
from inference_worker.engine.contract import EngineInfo, SamplingParameters, Token
from knowledge.quoting.mentions import Mention
from knowledge.quoting.selection import Quote, QuoteSelection
from knowledge.search.retrieval import Candidate
from knowledge.search.terms import QueryTerm
from tracing import content

# What a trace names instead of a template when the caller's messages went to the model as they were.
NO_TEMPLATE = "none"
# Facts about an engine that choose a style; the trace has the style.
NOT_RECORDED = frozenset({"can_generate_freely", "writes"})


def engine_record(info: EngineInfo) -> content.EngineRecord:
    """The engine's identity as traces hold it."""
    fields = {name: value for name, value in asdict(info).items() if name not in NOT_RECORDED}
    return content.EngineRecord(**fields)


def token_records(tokens: Sequence[Token]) -> tuple[content.TokenRecord, ...]:
    """Generated tokens as traces hold them."""
    return tuple(
        content.TokenRecord(
            id=token.token_id,
            text=token.text,
            logprob=token.logprob,
            rank=token.rank,
            alternatives=tuple(
                content.TokenAlternative(other.token_id, other.text, other.logprob) for other in token.alternatives
            ),
        )
        for token in tokens
    )


def sampling_record(sampling: SamplingParameters) -> content.SamplingRecord:
    """How tokens were picked."""
    schema = None if sampling.json_schema is None else json.dumps(sampling.json_schema, ensure_ascii=False)
    return content.SamplingRecord(**(asdict(sampling) | {"json_schema": schema}))


def prompt_record(generation: Generation, *, grounded: bool) -> content.PromptRecord:
    """The prompt as the engine received it, and where the passages stand in it."""
    composition = generation.composition
    return content.PromptRecord(
        text=generation.prompt.text,
        token_ids=tuple(generation.prompt.token_ids),
        template_version=TEMPLATE_VERSION if grounded else NO_TEMPLATE,
        turns=tuple(content.PromptTurn(turn.role, turn.content) for turn in composition.prompt.turns),
        passages=tuple(
            content.PromptPassage(str(candidate.chunk_id), start, end)
            for candidate, (start, end) in zip(composition.passages, composition.prompt.spans, strict=True)
            if end > start
        ),
        sections=composition.prompt.sections,
    )


def selection_record(selection: QuoteSelection) -> content.Selection:
    """The decision whether the articles answer the question."""
    return content.Selection(
        answerable=selection.answerable,
        score=float(selection.score),
        threshold=float(selection.threshold),
        margin=float(selection.margin),
        features={name: float(value) for name, value in selection.features.items()},
    )


def candidate_record(candidate: Candidate, *, used: bool, quotes: Sequence[Quote]) -> content.CandidateRecord:
    """A passage that was considered; `used` when it stood in the prompt."""
    return content.CandidateRecord(
        chunk=str(candidate.chunk_id),
        article=str(candidate.article_id),
        version=candidate.version,
        slug=candidate.slug,
        title=candidate.title,
        heading=candidate.heading,
        language=candidate.language,
        text=candidate.text,
        scores={name: content.ScoreRecord(float(found.score), found.rank) for name, found in candidate.scores.items()},
        used=used,
        is_other_language=candidate.is_other_language,
        quoted=tuple((quote.start, quote.end) for quote in quotes if quote.candidate.chunk_id == candidate.chunk_id),
    )


def term_records(terms: Sequence[QueryTerm]) -> tuple[content.QuestionTerm, ...]:
    """The question's search terms with their weights."""
    return tuple(content.QuestionTerm(term.text, round(float(term.weight), 6)) for term in terms)


def missing_records(missing: Sequence[Mention]) -> tuple[content.Missing, ...]:
    """What the question names and the quotes do not speak of."""
    return tuple(content.Missing(each.text, each.kind, each.is_unknown) for each in missing)


def translation_records(translations: Sequence[Translated], *, language: str) -> tuple[content.Translation, ...]:
    """The quotes' translations, those that are not shown too."""
    return tuple(
        content.Translation(
            chunk=str(each.quote.candidate.chunk_id),
            start=each.quote.start,
            end=each.quote.end,
            language=language,
            text=each.text,
            reason=each.reason,
        )
        for each in translations
    )
