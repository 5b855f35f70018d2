"""How the model learns from groups: which losses, and in which stages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from training.relevance.corpus import DRCD, HELP_CENTRES, SQUAD, XQUAD_ACROSS, XQUAD_CHINESE, XQUAD_ENGLISH
from training.relevance.cross_encoder import CrossEncoder, encoded
from training.relevance.groups import Group

# An answer counts more than a text that is none: there are three of those for each.
ANSWER_WEIGHT = 1.6
WEIGHT_DECAY = 0.01
BETAS = (0.9, 0.98)
MOST_GRADIENT = 1.0
WARM_UP_STEPS = 40
LEAST_RATE = 0.02


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the time (`share`, 0 to 1) with its highest learning rate and how often each source is drawn from."""

    share: float
    rate: float
    weights: Mapping[str, float]


# First much of everything, then mostly help centres, which is what the product reads.
STAGES = (
    Stage(
        0.25,
        1.5e-3,
        {HELP_CENTRES: 8, SQUAD: 2, DRCD: 2, XQUAD_ENGLISH: 0.5, XQUAD_CHINESE: 0.5, XQUAD_ACROSS: 0.8},
    ),
    Stage(
        0.4,
        1.2e-3,
        {HELP_CENTRES: 10, SQUAD: 1, DRCD: 1, XQUAD_ENGLISH: 0.3, XQUAD_CHINESE: 0.3, XQUAD_ACROSS: 0.5},
    ),
    Stage(
        0.35,
        9e-4,
        {HELP_CENTRES: 10, SQUAD: 1, DRCD: 1, XQUAD_ENGLISH: 0.3, XQUAD_CHINESE: 0.3, XQUAD_ACROSS: 0.5},
    ),
)


@dataclass(frozen=True, slots=True)
class Losses:
    """Of one batch: `answers` (binary cross-entropy of the second logit over all pairs) and `relevance` (cross-entropy of the
    first logit over each group with an answer)."""

    answers: float
    relevance: float


def losses(logits: Any, groups: Sequence[Group]) -> tuple[Any, Any]:
    """The two losses of Losses as scalars; `logits` [pairs, 2] stand in the order of the groups' texts."""
    is_answer = torch.tensor([float(text == group.answer) for group in groups for text in group.texts])
    weight = torch.where(is_answer > 0, ANSWER_WEIGHT, 1.0)
    answers = functional.binary_cross_entropy_with_logits(logits[:, 1], is_answer, weight=weight)
    by_group = logits[:, 0].split([len(group.texts) for group in groups])
    first = torch.tensor([0])
    ranked = [
        functional.cross_entropy(row[None], first)
        for row, group in zip(by_group, groups, strict=True)
        if group.answer is not None and len(row) > 1
    ]
    return answers, torch.stack(ranked).mean() if ranked else logits.new_zeros(())


def learn(
    model: CrossEncoder, tokenizer: Any, batches: Iterator[list[Group]], *, rate: float, done: Callable[[int], float]
) -> Iterator[Losses]:
    """Learn batch by batch until `done` (which part of the stage is over after so many steps, 0 to 1) says 1; yields losses.

    The learning rate rises over the first steps, and falls with the time that is left.
    """
    learned = model.learned()
    optimizer = torch.optim.AdamW(learned, lr=rate, weight_decay=WEIGHT_DECAY, betas=BETAS)
    step = 0
    while (over := done(step)) < 1:
        for options in optimizer.param_groups:
            options["lr"] = rate * min(1.0, (step + 1) / WARM_UP_STEPS) * max(LEAST_RATE, 1 - over)
        groups = next(batches)
        pairs = [(group.question, text) for group in groups for text in group.texts]
        answers, relevance = losses(model(*encoded(tokenizer, pairs)), groups)
        (answers + relevance).backward()
        torch.nn.utils.clip_grad_norm_(learned, MOST_GRADIENT)
        optimizer.step()
        optimizer.zero_grad()
        step += 1
        yield Losses(float(answers.detach()), float(relevance.detach()))
