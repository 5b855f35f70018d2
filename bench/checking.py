"""What checking each sentence before it is shown costs: milliseconds a sentence, and how much later the first words come.

`python -m bench.checking` writes the same English and Chinese answers through the gate and without it, in turn, in the same
process: the scripted engine's pieces, passages of 400 tokens, no model and no database. `milliseconds_before` is for reading
the passages, while the engine reads its prompt, and not part of the rest. `ratio` is what the whole answer took at so many
seconds a token, with the gate's processor time against without. `first_words_later_seconds` is how much later the first words
could be read than the first token, which is what is seen without. Writes bench/results/checking.json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.stacks import machine
from inference_worker.engine.scripted import pieces
from knowledge.text import estimate_tokens

if TYPE_CHECKING:
    from knowledge.search.retrieval import Candidate

RESULTS = Path(__file__).parent / "results" / "checking.json"
# What a small model writes on two cores.
TOKEN_SECONDS = 0.04
TEXTS = {
    "en": (
        "Standard delivery takes three to five working days. Express delivery takes one working day and costs 9 euros. "
        "Unused pots may be returned within thirty days. Opened bags of soil cannot be returned. "
        "Refunds arrive within two weeks. The pump XJ-200 needs 12 V and weighs 3.5 kg. ",
        "Standard delivery takes 3 to 5 working days [1]. Express delivery takes one working day and costs €9 [2]. "
        "Opened bags of soil can be returned [1]. Unused pots may be returned within 30 days [3].",
    ),
    "zh": (
        "标准配送需要三到五个工作日，运费为五欧元。未使用的花盆可以在30天内退货。已拆封的土壤不可以退货。"
        "退款会在两周内到账。水泵XJ-200的电压为12伏，重3.5公斤。",
        "标准配送需要3到5个工作日[1]。未使用的花盆可以在三十天内退货[2]。已拆封的土壤可以退货[1]。退款会在14天内到账[3]。",
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    os.environ |= {"DJANGO_SETTINGS_MODULE": "helpdesk.settings", "DATABASE_URL": "none:"}
    import django

    django.setup()
    report: dict[str, Any] = {"machine": machine(), "rounds": options.rounds, "token_seconds": TOKEN_SECONDS}
    for language, (source, answer) in TEXTS.items():
        report[language] = _measured(_passages(source, language), answer, options.rounds)
    options.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))


def _passages(source: str, language: str) -> list[Candidate]:
    """Three full passages of an article that says the same things over and over."""
    from knowledge.chunking.chunks import split_article
    from knowledge.search.retrieval import Candidate

    text = source * (1500 // estimate_tokens(source) + 1)
    found = split_article(text, count_tokens=estimate_tokens)[:3]
    return [
        Candidate(
            chunk_id=uuid.uuid4(),
            article_id=uuid.uuid4(),
            version=1,
            slug="delivery",
            title="Delivery",
            heading=each.heading,
            language=language,
            text=each.text,
            start=each.start,
            updated_at=datetime.now(UTC),
            sentences=each.sentences,
            scores={},
        )
        for each in found
    ]


def _measured(passages: list[Candidate], answer: str, rounds: int) -> dict[str, Any]:
    from inference_worker.answering.checking.gate import AnswerGate
    from inference_worker.answering.checking.sentences import SentenceJudge

    checked, plain, each, prepared, first_words = [], [], [], [], []
    for _ in range(rounds):
        seconds, _ = _timed(lambda text: text, answer)
        plain.append(seconds)
        # A judge for each answer, as in the product: the passages are read anew.
        gate = AnswerGate(SentenceJudge(passages, "How long does it take?"))
        begun = time.perf_counter()
        gate.prepare()
        prepared.append((time.perf_counter() - begun) * 1000)
        seconds, shown_at = _timed(gate.add, answer)
        begun = time.process_time()
        gate.finish()
        checked.append(seconds + time.process_time() - begun)
        each += [sentence.milliseconds for sentence in gate.checking().sentences]
        first_words.append(shown_at)
    tokens = len(pieces(answer))
    waited = statistics.median(first_words)
    writing = tokens * TOKEN_SECONDS
    return {
        "tokens": tokens,
        "sentences": len(each) // rounds,
        "cut": sum(bool(sentence.reason) for sentence in gate.checking().sentences),
        "milliseconds_before": round(statistics.median(prepared), 3),
        "milliseconds_each": round(statistics.median(each), 3),
        "milliseconds_at_most": round(max(each), 3),
        "ratio": round((writing + statistics.median(checked)) / (writing + statistics.median(plain)), 4),
        "first_words_after_tokens": waited,
        "first_words_later_seconds": round((waited - 1) * TOKEN_SECONDS, 2),
    }


def _timed(show: Callable[[str], str], answer: str) -> tuple[float, int]:
    """Processor seconds of the whole answer, and after how many tokens the first words could be read."""
    shown_at = 0
    begun = time.process_time()
    for number, piece in enumerate(pieces(answer), 1):
        if show(piece) and not shown_at:
            shown_at = number
    return time.process_time() - begun, shown_at


if __name__ == "__main__":
    main()
