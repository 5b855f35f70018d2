"""The quoted sentences in the customer's language, where the engine writes it: a stage behind the check.

The answer is whole before, and stays word for word what the article says; a translation is shown beside it when everything
that can be compared survived (`checking.translations`). It never fails an answer, and takes a bounded time of it.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as NotDone
from dataclasses import dataclass, replace

from django.utils import timezone

from conversations.models import AnswerStyle, Outcome
from inference_worker.answering.checking.translations import KEPT, reason_against
from inference_worker.answering.means import Means
from inference_worker.answering.results import Asked, Checked, Generation, Translated
from inference_worker.engine.contract import (
    ChatTurn,
    EngineError,
    FinishReason,
    GenerationRequest,
    SamplingParameters,
)
from knowledge.quoting.selection import Quote

# A customer reads these, with the answer above them: more is read in the article.
MOST_TRANSLATED = 3
LONGEST_QUOTE = 600
# Left of the reply's own time for storing it.
SPARE_SECONDS = 5.0
LATE, FAILED, CUT = "late", "failed", "cut"

_INSTRUCTION = {
    ("en", "zh"): "把用户发来的帮助文章句子从英文翻译成简体中文。数字、金额、型号、网址和邮箱保持原样。只输出译文。",
    (
        "zh",
        "en",
    ): "Translate the user's sentence from a help article from Chinese into English. Keep numbers, amounts, product "
    "codes, links and addresses exactly as they are. Write the translation and nothing else.",
}


def translate_quotes(asked: Asked, checked: Checked, means: Means) -> Checked:
    """The answer with its foreign quotes translated; as it is where there are none, or where the engine cannot write them."""
    quotes = _foreign(asked, checked, means)
    if not quotes:
        return checked
    means.stream.phase("translating")
    begun, begun_ms = time.monotonic(), means.steps.now_ms()
    until = begun + min(means.settings.translation_seconds, _seconds_left(means))
    translated = []
    for number, quote in enumerate(quotes):
        translated.append(_translated(asked, quote, means, number=number, until=until))
        if translated[-1].reason in {LATE, FAILED}:
            break
    means.steps.add("translate", begun_ms)
    reasons = Counter(each.reason for each in translated if each.reason != KEPT)
    means.steps.note(
        "translate",
        "all_translated" if not reasons and len(translated) == len(quotes) else "not_all_translated",
        quotes=float(len(quotes)),
        translated=float(sum(each.reason == KEPT for each in translated)),
        **{reason: float(count) for reason, count in reasons.items()},
    )
    return replace(checked, translations=tuple(translated))


def _foreign(asked: Asked, checked: Checked, means: Means) -> Sequence[Quote]:
    """The quotes in another language than the question's, of an answer that is made of quotes."""
    plan = checked.plan
    is_quoted = isinstance(plan, Generation) and plan.style is AnswerStyle.QUOTE and checked.outcome is Outcome.ANSWERED
    if not is_quoted or means.settings.translation_seconds <= 0 or asked.language not in means.engine.info().writes:
        return ()
    foreign = [quote for quote in checked.quotes if (quote.candidate.language, asked.language) in _INSTRUCTION]
    is_short = len(foreign) <= MOST_TRANSLATED and all(len(quote.text) <= LONGEST_QUOTE for quote in foreign)
    return foreign if is_short else ()


def _seconds_left(means: Means) -> float:
    return (means.watch.deadline_at - timezone.now()).total_seconds() - SPARE_SECONDS


def _translated(asked: Asked, quote: Quote, means: Means, *, number: int, until: float) -> Translated:
    source = quote.text.strip()
    try:
        written = _write(asked, source, quote.candidate.language, means, number=number, until=until)
    except EngineError:
        return Translated(quote, "", FAILED)
    if written is None:
        return Translated(quote, "", LATE)
    text = written.text.strip()
    if not written.is_whole:
        return Translated(quote, text, CUT)
    return Translated(quote, text, reason_against(source, text, language=asked.language))


@dataclass(frozen=True, slots=True)
class _Written:
    text: str
    is_whole: bool


def _write(asked: Asked, source: str, language: str, means: Means, *, number: int, until: float) -> _Written | None:
    """What the engine writes; None when it is not done in time, or nobody waits any more. Raises EngineError."""
    engine = means.engine
    turns = (ChatTurn("system", _INSTRUCTION[language, asked.language]), ChatTurn("user", source))
    prompt = engine.render(turns)
    room = engine.info().max_model_len - len(prompt.token_ids) - 8
    most = min(engine.count_tokens(source) * 3 + 32, room)
    if most < 1:
        return None
    request = GenerationRequest(
        request_id=f"{asked.reply_id}-{asked.attempt}-translation-{number}",
        prompt=prompt,
        sampling=SamplingParameters(max_tokens=most, temperature=0.0, top_logprobs=0),
        priority=asked.priority,
    )

    async def collect() -> _Written:
        text = ""
        reason: FinishReason | None = None
        stream = engine.stream(request)
        try:
            async for delta in stream:
                text += delta.text
                reason = delta.finish_reason or reason
        finally:
            await stream.aclose()
        return _Written(text, reason == "stop")

    future = means.model.submit(collect())
    try:
        while time.monotonic() < until and not means.watch.stop.is_set and not means.watch.is_stopping():
            try:
                return future.result(timeout=0.1)
            except NotDone:
                continue
        return None
    except (CancelledError, asyncio.CancelledError):
        return None
    finally:
        # Closes the generator, which ends the request in the engine.
        future.cancel()
