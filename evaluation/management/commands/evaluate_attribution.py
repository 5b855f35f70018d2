"""`manage.py evaluate_attribution --squad FILE --language en`: do the measured causes point at the right passage?"""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import redis
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from evaluation.asking import TenantQuestion, WorkerMissing, answers_to, check_worker, passages_embedded
from evaluation.question_sets import BadQuestionSet, Question, import_paragraphs, read_squad, throwaway_tenant
from helpdesk.tenants.models import Language
from helpdesk.tenants.scope import tenant_atomic
from knowledge.search.ranking import DENSE, FUSED
from tracing.analyses import opened_analyses
from tracing.analysis_content import Attribution, analysis_result
from tracing.content import CandidateRecord, TraceContent
from tracing.jobs import request_analysis
from tracing.models import AnalysisJob, AnalysisKind, JobState, Trace
from tracing.opening import content_of

POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Judged:
    """One answer whose right passage stood in the prompt beside others.

    `drop_best` and `drop_others` are nats per token: how much less likely the answer is without the passage with the
    largest effect, and without each other one on average.
    """

    cause_is_right: bool
    most_similar_is_right: bool
    rank_one_is_right: bool
    drop_best: float
    drop_others: float
    duration_ms: float
    drift: float
    details: dict[str, Any] = field(default_factory=dict)


class Command(BaseCommand):
    """Answers are given and analysed by the running worker, in a throwaway tenant without access log."""

    help = (
        "Ask the questions of a SQuAD-layout file through the running desk, measure the causes of each answer, and "
        "compare: how often is the passage with the largest effect the one that holds the right answer, and how often "
        "is the most similar one?"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--squad", type=Path, required=True, metavar="FILE")
        parser.add_argument("--language", choices=Language.values, required=True)
        parser.add_argument("--limit", type=int, default=40, metavar="N")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
        parser.add_argument(
            "--details",
            type=Path,
            metavar="FILE",
            help="also write each answer with its prompt and effects, one JSON a line",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            questions = read_squad(options["squad"], language=options["language"], limit=options["limit"])
            check_worker()
            with _progress() as progress, throwaway_tenant() as tenant:
                importing = progress.add_task("Paragraphs", total=len(questions.paragraphs))
                for _ in import_paragraphs(tenant.id, questions.paragraphs, language=options["language"], enqueue=True):
                    progress.advance(importing)
                embedding = progress.add_task("Passages embedded", total=None)
                for embedded, passages in passages_embedded([tenant.id]):
                    progress.update(embedding, completed=embedded, total=passages)
                answering = progress.add_task("Questions", total=len(questions.questions))
                asked = [TenantQuestion(tenant.id, question, options["language"]) for question in questions.questions]
                for _result in answers_to(asked):
                    progress.advance(answering)
                analysing = progress.add_task("Answers analysed", total=None)
                for done, total in _analyse_all(tenant.id):
                    progress.update(analysing, completed=done, total=total)
                judged = list(_judge_all(tenant.id, {question.text: question for question in questions.questions}))
        except (BadQuestionSet, WorkerMissing) as error:
            raise CommandError(str(error)) from error
        except redis.RedisError as error:
            raise CommandError(f"Valkey cannot be reached, so there is no queue to ask through: {error}") from error
        if options["details"]:
            _write_details(options["details"], judged)
        report = summarise(judged)
        if options["json"]:
            self.stdout.write(json.dumps(report))
        else:
            self.stdout.write("\n".join(f"{name:<24} {value}" for name, value in report.items()))


def summarise(judged: Sequence[Judged]) -> dict[str, float | int | None]:
    """Shares of answers whose right passage each method puts first, and what measuring costs."""
    if not judged:
        return {"answers": 0}
    count = len(judged)
    return {
        "answers": count,
        "attribution_top1": round(sum(each.cause_is_right for each in judged) / count, 4),
        "similarity_top1": round(sum(each.most_similar_is_right for each in judged) / count, 4),
        "rank_top1": round(sum(each.rank_one_is_right for each in judged) / count, 4),
        "drop_best_nats_per_token": round(sum(each.drop_best for each in judged) / count, 3),
        "drop_others_nats_per_token": round(sum(each.drop_others for each in judged) / count, 3),
        "attribution_ms_p50": round(median(each.duration_ms for each in judged), 1),
        "drift_nats_per_token": round(sum(each.drift for each in judged) / count, 4),
    }


def _analyse_all(tenant_id: UUID) -> Iterator[tuple[int, int]]:
    """Ask for the causes of every generated answer and yield (ended, all) until the worker has done them."""
    with tenant_atomic(tenant_id):
        jobs = [
            request_analysis(trace, kind=AnalysisKind.ATTRIBUTION).id
            for trace in Trace.objects.filter(answer_tokens__gt=0)
        ]
    while True:
        with tenant_atomic(tenant_id):
            ended = AnalysisJob.objects.filter(id__in=jobs, state__in=[JobState.DONE, JobState.FAILED]).count()
        yield ended, len(jobs)
        if ended == len(jobs):
            return
        check_worker()
        time.sleep(POLL_SECONDS)


def _judge_all(tenant_id: UUID, questions: dict[str, Question]) -> Iterator[Judged]:
    with tenant_atomic(tenant_id):
        for trace in Trace.objects.filter(analyses__isnull=False).select_related("key").distinct():
            content = content_of(trace)
            analysis = opened_analyses(trace)[-1]
            found = analysis_result(analysis.kind, analysis.content or {})
            question = questions.get(content.question)
            if question is not None and isinstance(found, Attribution):
                judged = judge(content, found, question)
                if judged is not None:
                    yield judged


def judge(content: TraceContent, found: Attribution, question: Question) -> Judged | None:
    """None when the right passage was not in the prompt, or was there alone: then there is nothing to choose."""
    candidates = {candidate.chunk: candidate for candidate in content.candidates}
    inside = [candidates[chunk] for chunk in found.passages if chunk in candidates]
    right = [candidate for candidate in inside if candidate.slug == question.slug]
    if not right or len({candidate.slug for candidate in inside}) < 2:
        return None
    tokens = max(sum(sentence.tokens for sentence in found.sentences), 1)
    effects = [
        sum(sentence.effects[place] for sentence in found.sentences) / tokens for place in range(len(found.passages))
    ]
    best = max(range(len(effects)), key=effects.__getitem__)
    others = [effect for place, effect in enumerate(effects) if place != best]
    return Judged(
        cause_is_right=candidates[found.passages[best]].slug == question.slug,
        most_similar_is_right=max(inside, key=_similarity).slug == question.slug,
        rank_one_is_right=min(inside, key=_rank).slug == question.slug,
        drop_best=effects[best],
        drop_others=sum(others) / len(others) if others else 0.0,
        duration_ms=found.duration_ms,
        drift=found.drift,
        details=_details(content, found, question.slug),
    )


def _details(content: TraceContent, found: Attribution, gold: str) -> dict[str, Any]:
    """What somebody needs to measure the same answer's causes by other means; `effects` are nats, by passage."""
    slugs = {candidate.chunk: candidate.slug for candidate in content.candidates}
    placed = content.prompt.passages if content.prompt else ()
    return {
        "turns": [
            {"role": turn.role, "content": turn.content} for turn in (content.prompt.turns if content.prompt else ())
        ],
        "passages": [{"slug": slugs.get(each.chunk, ""), "start": each.start, "end": each.end} for each in placed],
        "answer": "".join(token.text for token in content.tokens),
        "effects": [sum(sentence.effects[at] for sentence in found.sentences) for at in range(len(found.passages))],
        "gold": gold,
        "seconds": round(found.duration_ms / 1000, 3),
    }


def _write_details(path: Path, judged: Sequence[Judged]) -> None:
    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(each.details, ensure_ascii=False) + "\n" for each in judged)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error}") from error


def _similarity(candidate: CandidateRecord) -> float:
    return candidate.scores[DENSE].score if DENSE in candidate.scores else -1.0


def _rank(candidate: CandidateRecord) -> int:
    return candidate.scores[FUSED].rank if FUSED in candidate.scores else 999


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))
