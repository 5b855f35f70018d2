"""`python -m training.relevance.train`: the one command of the recipe; see README.md beside this file."""

from __future__ import annotations

import argparse
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import torch
from rich.console import Console

from evaluation.help_centre_files import BadHelpCentre
from inference_worker.engine.weights.checkpoints import default_cache, prepare_embeddings
from inference_worker.engine.weights.packaged import PackagedWeightsError
from training.relevance.adapter import BadAdapter, adapter_tensors, load_adapter, write_adapter
from training.relevance.corpus import Places, read_sources
from training.relevance.cross_encoder import CrossEncoder, load_base, load_tokenizer
from training.relevance.examples import Example
from training.relevance.groups import Drawing, batches, mined
from training.relevance.learning import STAGES, Losses, Stage, learn
from training.relevance.squad import BadQuestionSet

GROUPS_IN_BATCH = 10
SEED = 0
# A line of the log is the mean of the last so many steps; the file is written every so many seconds, too.
LOG_EVERY, LOG_MEAN = 25, 50
SAVE_SECONDS = 300.0

Say = Callable[[str], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the sources, learn, write the file; returns the exit code."""
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, soft_wrap=True)
    torch.set_num_threads(options.threads)
    try:
        sources = read_sources(
            Places(options.help_centres, options.squad, options.drcd, options.xquad_en, options.xquad_zh)
        )
        folder = prepare_embeddings(options.cache)
        torch.manual_seed(options.seed)
        model = CrossEncoder(load_base(folder))
        if options.start:
            load_adapter(model, options.start)
        model.freeze_below(options.freeze_below)
    except (BadHelpCentre, BadQuestionSet, PackagedWeightsError, BadAdapter) as error:
        Console(stderr=True).print(f"[bold red]{error}[/]", highlight=False)
        return 1

    def save() -> None:
        write_adapter(options.out, adapter_tensors(model), version=options.version)

    train(
        model,
        load_tokenizer(folder),
        sources,
        seconds=options.minutes * 60,
        seed=options.seed,
        say=console.print,
        save=save,
    )
    save()
    console.print(f"{options.out} is written.")
    return 0


def train(
    model: CrossEncoder,
    tokenizer: Any,
    sources: Mapping[str, Sequence[Example]],
    *,
    seconds: float,
    seed: int,
    say: Say,
    save: Callable[[], None],
    stages: Sequence[Stage] = STAGES,
) -> None:
    """Learn through the stages, in so many seconds together; says how it goes, and saves every few minutes.

    The order of groups is the seed's; how many there are is a matter of the machine.
    """
    chance = Random(seed)
    usable = {name: mined(examples, chance) for name, examples in sources.items()}
    for name, examples in usable.items():
        say(f"{name}: {len(examples)} questions, {sum(not each.example.answers for each in examples)} of them open")
    drawing = Drawing(usable, chance)
    saved = time.monotonic()
    for number, stage in enumerate(stages, 1):
        begun = time.monotonic()
        length = seconds * stage.share / sum(each.share for each in stages)
        taken = batches(drawing.groups(stage.weights), GROUPS_IN_BATCH, chance)
        recent: deque[Losses] = deque(maxlen=LOG_MEAN)
        steps = learn(model, tokenizer, taken, rate=stage.rate, done=_clock(begun, length))
        for step, found in enumerate(steps, 1):
            recent.append(found)
            if step % LOG_EVERY == 0:
                say(f"stage {number}, step {step}, {time.monotonic() - begun:.0f} s: {_means(recent)}")
            if time.monotonic() - saved > SAVE_SECONDS:
                save()
                saved = time.monotonic()


def _clock(begun: float, seconds: float) -> Callable[[int], float]:
    return lambda step: (time.monotonic() - begun) / seconds


def _means(recent: Sequence[Losses]) -> str:
    answers, relevance = (
        sum(getattr(each, name) for each in recent) / len(recent) for name in ("answers", "relevance")
    )
    return f"answers {answers:.3f}, relevance {relevance:.3f}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.relevance.train", description=main.__doc__)
    parser.add_argument("--help-centres", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--squad", type=Path, metavar="FILE", help="SQuAD 2.0, development set")
    parser.add_argument(
        "--drcd", type=Path, nargs="*", default=(), metavar="FILE", help="DRCD, development and test set"
    )
    parser.add_argument("--xquad-en", type=Path, metavar="FILE", help="XQuAD, English")
    parser.add_argument("--xquad-zh", type=Path, metavar="FILE", help="XQuAD, Chinese; needs the English one")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--version", default="1", help="which the file says of itself (default: %(default)s)")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="cache folder (default: %(default)s)")
    parser.add_argument("--start", type=Path, metavar="FILE", help="go on from this file's weights")
    parser.add_argument(
        "--freeze-below", type=int, default=0, metavar="LAYER", help="learn in the layers from this one on (0 to 12)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
