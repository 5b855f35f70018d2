"""The scripted engine keeps the engine contract, so that fast tests mean something."""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys

import pytest

from inference_worker.engine.contract import (
    ChatTurn,
    Delta,
    EngineError,
    GenerationRequest,
    PromptTooLong,
    SamplingParameters,
)
from inference_worker.engine.scripted import ScriptedEmbedder, ScriptedEngine, pieces


async def answer(engine: ScriptedEngine, sampling: SamplingParameters, request_id: str = "r1") -> list[Delta]:
    prompt = engine.render([ChatTurn("user", "How long do refunds take?")])
    return [delta async for delta in engine.stream(GenerationRequest(request_id, prompt, sampling))]


async def started(*texts: str, **options: object) -> ScriptedEngine:
    engine = ScriptedEngine(*texts, **options)  # type: ignore[arg-type]
    await engine.start()
    return engine


@pytest.mark.parametrize(
    "choice",
    [
        "Refunds take 5 to 7 working days.",
        "退款将在 5 到 7 个工作日内退回原支付卡。",
        ' leading, "quotes" \\ and\n newlines ',
        "한국어와 mixed words",
    ],
)
async def test_first_choice_is_streamed_exactly(choice: str) -> None:
    engine = await started()
    deltas = await answer(engine, SamplingParameters(choices=(choice, "another one")))
    assert "".join(delta.text for delta in deltas) == choice
    assert "".join(token.text for delta in deltas for token in delta.tokens) == choice
    assert [delta.finish_reason for delta in deltas] == [None] * (len(deltas) - 1) + ["stop"]


def test_pieces_are_words_and_single_cjk_characters() -> None:
    assert pieces("Pay by card.") == ["Pay", " by", " card."]
    assert pieces("退款 5 天") == ["退", "款", " 5", " 天"]


async def test_same_request_gives_the_same_tokens() -> None:
    first, second = await started("A fixed text."), await started("A fixed text.")
    assert await answer(first, SamplingParameters()) == await answer(second, SamplingParameters())


async def test_log_probabilities_are_ranked_and_sum_below_one() -> None:
    engine = await started("Some words to weigh")
    for delta in await answer(engine, SamplingParameters(top_logprobs=5)):
        (token,) = delta.tokens
        listed = [alternative.logprob for alternative in token.alternatives]
        assert listed == sorted(listed, reverse=True)
        assert token.alternatives[token.rank - 1].token_id == token.token_id
        assert sum(math.exp(logprob) for logprob in listed) <= 1.0 + 1e-9


async def test_scripted_texts_follow_each_other_and_the_last_repeats() -> None:
    engine = await started("one", "two")
    answers = [(await answer(engine, SamplingParameters()))[0].text for _ in range(3)]
    assert answers == ["one", "two", "two"]


async def test_answer_over_the_token_limit_ends_with_length() -> None:
    engine = await started("one two three four")
    deltas = await answer(engine, SamplingParameters(max_tokens=2))
    assert ["".join(delta.text for delta in deltas), deltas[-1].finish_reason] == ["one two", "length"]


async def test_closing_the_generator_aborts_the_request() -> None:
    engine = await started("one two three")
    prompt = engine.render([ChatTurn("user", "?")])
    stream = engine.stream(GenerationRequest("r7", prompt))
    await anext(stream)
    await stream.aclose()
    assert (engine.aborted, engine.running) == (["r7"], 0)


async def test_failure_after_some_tokens_is_retryable() -> None:
    engine = await started("one two three", fail_after=2)
    prompt, received = engine.render([ChatTurn("user", "?")]), []
    with pytest.raises(EngineError) as caught:
        async for delta in engine.stream(GenerationRequest("r1", prompt)):
            received.append(delta.text)
    assert (received, caught.value.retryable, engine.running) == (["one", " two"], True, 0)


async def test_prompt_that_leaves_no_room_is_refused_before_the_first_delta() -> None:
    engine = await started("text", max_model_len=20)
    with pytest.raises(PromptTooLong):
        await answer(engine, SamplingParameters(max_tokens=256))


async def test_stopped_engine_refuses_requests() -> None:
    engine = await started("text")
    await engine.stop()
    assert not await engine.is_alive()
    with pytest.raises(EngineError):
        await answer(engine, SamplingParameters())


async def test_score_prefers_tokens_of_the_prompt() -> None:
    engine = await started()
    prompt = engine.render([ChatTurn("user", "refunds take days")])
    supported, absent = prompt.token_ids[2], 999_999_999
    assert await engine.score(prompt, [supported, absent]) == [-0.2, -3.0]


async def test_delay_does_not_block_other_requests() -> None:
    engine = await started("one two", delay=0.001)
    both = await asyncio.gather(*(answer(engine, SamplingParameters(), name) for name in ("a", "b")))
    assert [len(deltas) for deltas in both] == [2, 2]


async def test_requests_beyond_the_sequences_wait_by_priority_then_arrival() -> None:
    engine = await started("one two", max_num_seqs=1)
    prompt, finished = engine.render([ChatTurn("user", "?")]), []

    async def run(name: str, priority: int) -> None:
        async for _ in engine.stream(GenerationRequest(name, prompt, priority=priority)):
            assert engine.running == 1
        finished.append(name)

    names = {"running": 9, "late": 5, "later": 5, "first": 0, "gone": 1}
    tasks = {name: asyncio.create_task(run(name, priority)) for name, priority in names.items()}
    await asyncio.sleep(0)
    tasks["gone"].cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)
    assert (finished, engine.aborted, engine.running) == (["running", "first", "late", "later"], ["gone"], 0)


def similarity(first: list[float], second: list[float]) -> float:
    return sum(a * b for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("query", "passages"),
    [
        ("refund to card", ["Refunds reach the card you paid with.", "Delivery takes three days."]),
        ("怎么退款", ["退款会退回原支付卡。", "配送需要三天。"]),
    ],
)
def test_scripted_vectors_find_the_passage_with_the_same_words(query: str, passages: list[str]) -> None:
    embedder = ScriptedEmbedder()
    vector = embedder.embed_query(query)
    scores = [similarity(vector, passage) for passage in embedder.embed_passages(passages)]
    assert scores[0] > scores[1]


@pytest.mark.parametrize("text", ["", "word", "多个字", "!?"])
def test_scripted_vectors_have_384_dimensions_and_unit_length(text: str) -> None:
    vector = ScriptedEmbedder().embed_query(text)
    assert len(vector) == 384
    assert math.isclose(similarity(vector, vector), 1.0)


def test_light_modules_import_no_model_library() -> None:
    code = (
        "import sys\n"
        "import inference_worker.engine.scripted, inference_worker.engine.host, inference_worker.engine.vllm.adapter\n"
        "import inference_worker.engine.embedder, inference_worker.engine.weights.checkpoints\n"
        "print(sorted({'torch', 'vllm', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
