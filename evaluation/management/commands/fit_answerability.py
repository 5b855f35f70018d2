"""`manage.py fit_answerability FILE...`: fits the gate's coefficients to help centres' questions, and prints them."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import track

from evaluation.figures import holds
from evaluation.fitting import Observation, fit_gate
from evaluation.help_centres import HelpCentre, HelpQuestion, read_help_centres
from evaluation.looking import LocalDesk, Models, load_models
from evaluation.measuring import import_centre, tenant_of
from evaluation.options import add_shared
from evaluation.question_sets import BadQuestionSet, squeezed
from knowledge.quoting.answerability import Kind, evidence_of, kind_of
from knowledge.quoting.scoring import ScoredSentence, score_sentences
from knowledge.search.retrieval import RetrievalResult


class Command(BaseCommand):
    """For each kind of evidence: the coefficients as they stand in `knowledge/quoting/answerability.py`, and what they do."""

    help = (
        "Fit the refusal gate to the questions of help centres that no model was trained on: how often the best sentence "
        "answers the question, given the evidence for it. Prints the coefficients; nothing is changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a help centre, or a folder of them")
        parser.add_argument(
            "--false-refusals",
            type=float,
            default=0.06,
            metavar="SHARE",
            help="of the questions whose best sentence answers, at most this share may be declined (default: %(default)s)",
        )
        add_shared(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            centres = read_help_centres(options["files"], limit=options["limit"])
            observed = self._observe(centres, load_models(vectors=options["vectors"]))
        except BadQuestionSet as error:
            raise CommandError(str(error)) from error
        for kind, observations in sorted(observed.items()):
            fitted = fit_gate(observations, most_false_refusals=options["false_refusals"])
            if fitted is None:
                self.stdout.write(f"{kind}: {len(observations)} observations are too few.")
                continue
            self.stdout.write(f'"{kind}": {fitted.model},')
            self.stdout.write(
                f"  # {len(observations)} observations; declined: {fitted.false_refusals:.3f} of those answered by the best "
                f"sentence, {fitted.refused:.3f} of the others; AUC {fitted.auc:.3f} out of fold"
            )

    def _observe(self, centres: list[HelpCentre], models: Models) -> dict[Kind, list[Observation]]:
        observed: dict[Kind, list[Observation]] = defaultdict(list)
        for centre in track(centres, "Help centres", console=Console(stderr=True)):
            with tenant_of(centre) as tenant:
                list(import_centre(tenant, centre, models.embedder))
                desk = LocalDesk(tenant, models)
                for question in centre.questions:
                    found = desk.look(question.text).found
                    if found is not None:
                        for kind, observation in observations_of(found.result, question):
                            observed[kind].append(observation)
        return observed


def observations_of(result: RetrievalResult, question: HelpQuestion) -> list[tuple[Kind, Observation]]:
    """The best sentence of each language with its evidence, and whether it answers the question."""
    scored = (score_sentences(result, candidates) for candidates in (result.own_language, result.other_language))
    best = [sentences[0] for sentences in scored if sentences]
    return [
        (kind_of(result, each), Observation(np.array(evidence_of(each)), _answers(each, question))) for each in best
    ]


def _answers(sentence: ScoredSentence, question: HelpQuestion) -> bool:
    told = squeezed(f"{sentence.sentence.context} {sentence.text}")
    return any(holds(told, squeezed(each.text)) for each in question.answers)
