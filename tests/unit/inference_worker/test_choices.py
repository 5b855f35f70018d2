"""Answers restricted to given texts, with the processors of both of vLLM's model runners, on CPU tensors."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from vllm.sampling_params import SamplingParams
from vllm.v1.sample.logits_processor import BatchUpdate, build_logitsprocs
from vllm.v1.worker.gpu.sample.logits_processor import build_custom_logits_processors

from inference_worker.engine.vllm.answer_reader import CHOICES
from inference_worker.engine.vllm.extensions.choices_v1 import ChoiceProcessor as OldProcessor
from inference_worker.engine.vllm.extensions.choices_v2 import ChoiceProcessor as NewProcessor
from inference_worker.engine.vllm.runner import NEW, OLD, processors
from tests.unit.inference_worker.new_runner import VOCABULARY, Runner

END = 2
PROMPT = [7, 8, 9]
FREE = SamplingParams(temperature=0.0, logprobs=2)


def restricted(*choices: list[int]) -> SamplingParams:
    return SamplingParams(temperature=0.0, logprobs=2, extra_args={CHOICES: [*choices]})


def wanting(*tokens: int) -> Tensor:
    """Logits that like the first token best, then the next."""
    logits = torch.linspace(0, 1, VOCABULARY)
    for rank, token in enumerate(tokens):
        logits[token] = 20.0 - rank
    return logits


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Runner:
    return Runner(monkeypatch)


def write(runner: Runner, name: str, *wants: Tensor) -> list[int]:
    return [runner.step({name: logits})[name] for logits in wants]


def test_each_runner_refuses_the_other_ones_processor() -> None:
    # Why the runner is chosen explicitly.
    with pytest.raises(ValueError, match="subclass"):
        build_custom_logits_processors(SimpleNamespace(), SimpleNamespace(), False, processors(OLD))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="subclass"):
        build_logitsprocs(SimpleNamespace(speculative_config=None), torch.device("cpu"), False, False, processors(NEW))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "choice", [[11, END], [11, 12, 13, END], [11, 11, 11, END], [0, 49, 0, END], [*range(10, 40), END]]
)
def test_a_single_text_is_written_whatever_the_model_prefers(runner: Runner, choice: list[int]) -> None:
    runner.add("a", PROMPT, restricted(choice))
    assert write(runner, "a", *[wanting(45)] * len(choice)) == choice


def test_the_model_decides_between_texts_and_only_where_they_part(runner: Runner) -> None:
    texts = ([11, 12, 20, END], [11, 12, 21, 22, END], [11, 30, END])
    runner.add("a", PROMPT, restricted(*texts))
    wants = [wanting(30), wanting(45, 12, 30), wanting(30, 21, 20), wanting(20, 22), wanting(45)]
    assert write(runner, "a", *wants) == [11, 12, 21, 22, END]


def test_a_text_that_begins_like_another_can_be_either(runner: Runner) -> None:
    for name, third in (("short", END), ("long", 13)):
        runner.add(name, PROMPT, restricted([11, 12, END], [11, 12, 13, END]))
        assert write(runner, name, *[wanting(third)] * 3) == [11, 12, third]
        runner.remove(name)


def test_texts_that_meet_again_after_they_parted_are_kept_apart(runner: Runner) -> None:
    runner.add("a", PROMPT, restricted([11, 20, 30, 40, END], [12, 20, 30, 41, END]))
    assert write(runner, "a", wanting(12), wanting(45), wanting(45), wanting(40), wanting(45)) == [12, 20, 30, 41, END]


def test_requests_come_and_go_and_change_their_rows(runner: Runner) -> None:
    runner.add("a", PROMPT, restricted([11, 12, END], [13, 14, END]))
    runner.add("b", [5], FREE)
    runner.add("c", [6, 6], restricted([21, 22, 23, END]))
    free = wanting(45)
    assert runner.step({"a": wanting(13), "b": free, "c": free}) == {"a": 13, "b": 45, "c": 21}
    assert runner.step({"c": free, "a": free, "b": free}) == {"c": 22, "a": 14, "b": 45}
    runner.remove("a")
    # Takes the slot of the one that left, which was restricted, and writes freely.
    runner.add("d", [4], FREE)
    assert runner.step({"b": free, "d": free, "c": free}) == {"b": 45, "d": 45, "c": 23}
    runner.remove("b")
    runner.add("e", [4], restricted([31, END]))
    assert runner.step({"e": free, "c": free, "d": free}) == {"e": 31, "c": END, "d": 45}


def test_a_prompt_that_is_read_in_several_steps_is_not_restricted_yet(runner: Runner) -> None:
    prompt = list(range(3, 23))
    runner.add("long", prompt, restricted([11, 12, END]))
    runner.add("other", PROMPT, restricted([21, 22, END]))
    free = wanting(45)
    assert runner.step({"long": free, "other": free}, read={"long": 8}) == {"long": 45, "other": 21}
    assert runner.step({"other": free, "long": free}, read={"long": 16}) == {"other": 22, "long": 45}
    assert runner.step({"long": free, "other": free}) == {"long": 11, "other": END}


def test_a_request_that_was_put_off_goes_on_where_it_was(runner: Runner) -> None:
    texts = restricted([11, 12, 13, END], [11, 14, 15, 16, END])
    runner.add("a", PROMPT, texts)
    assert write(runner, "a", wanting(11), wanting(14)) == [11, 14]
    runner.remove("a")
    runner.add("b", [5], FREE)
    runner.add("a", PROMPT, texts, written=(11, 14))
    free = wanting(45)
    # What is drawn while its beginning is read again is thrown away.
    assert runner.step({"b": free, "a": free}, read={"a": 4})["b"] == 45
    assert write(runner, "a", free, free, free) == [15, 16, END]


def test_forced_tokens_at_the_end_of_a_prompt_are_no_part_of_what_may_be_written(runner: Runner) -> None:
    # How a quoted answer is read (docs/decisions/0015): all so far and the forced tokens are the prompt of one request.
    runner.add("piece", [*PROMPT, 11, 12, 13], restricted([14, 15, END], [16, END]))
    assert write(runner, "piece", wanting(45, 16)) == [16]


def test_a_request_past_its_end_keeps_logits_that_can_be_drawn_from(runner: Runner) -> None:
    # With asynchronous scheduling a request that has just ended takes part in one step more.
    for name, texts in (("a", ([11, END],)), ("b", ([11, END], [12, 13, 14, END]))):
        runner.add(name, PROMPT, restricted(*texts))
        assert write(runner, name, wanting(11), wanting(45)) == [11, END]
        # Thrown away, whichever it is; but a row in which nothing is possible could not be drawn from.
        assert write(runner, name, wanting(45))[0] in (45, 14)
        runner.remove(name)


def test_log_probabilities_are_those_before_the_restriction(runner: Runner) -> None:
    runner.add("a", PROMPT, restricted([11, 12, END]))
    runner.add("b", [5], FREE)
    logits = {"a": wanting(45), "b": wanting(44)}
    runner.step(logits)
    assert torch.equal(runner.believed[0], torch.stack([logits["a"], logits["b"]]))


def test_both_processors_permit_the_same_tokens() -> None:
    draw = random.Random(3)
    for _ in range(60):
        choices = [
            [draw.randrange(10, 14) for _ in range(draw.randrange(1, 7))] + [END] for _ in range(draw.randrange(1, 5))
        ]
        path = draw.choice(choices)
        written = path[: draw.randrange(len(path))]
        logits = torch.randn(3, VOCABULARY, generator=torch.Generator().manual_seed(draw.randrange(1000)))
        assert torch.equal(old(logits.clone(), choices, written), new(logits.clone(), choices, written))


def old(logits: Tensor, choices: list[list[int]], written: list[int]) -> Tensor:
    processor = OldProcessor(None, None, False)
    added = [(1, restricted(*choices), PROMPT, written)]
    processor.update_state(BatchUpdate(batch_size=3, removed=[], added=added, moved=[]))
    return processor.apply(logits)


def new(logits: Tensor, choices: list[list[int]], written: list[int]) -> Tensor:
    tokens = torch.zeros(4, 16, dtype=torch.int32)
    tokens[2, : len(PROMPT) + len(written)] = torch.tensor([*PROMPT, *written])
    lengths = torch.tensor([1, 1, len(PROMPT), 1]).numpy()
    states = SimpleNamespace(prompt_len=SimpleNamespace(np=lengths), all_token_ids=SimpleNamespace(gpu=tokens))
    processor = NewProcessor(SimpleNamespace(), states)
    processor.add_request(2, restricted(*choices))
    slots, seen = torch.tensor([0, 2, 3]).numpy(), torch.tensor([5, len(PROMPT) + len(written), 5]).numpy()
    return processor.apply(logits, SimpleNamespace(idx_mapping_np=slots, seq_lens_upper_bound_np=seen))


@pytest.mark.parametrize("wrong", [[], [[]], [[11, END], []]])
@pytest.mark.parametrize("processor", [OldProcessor, NewProcessor])
def test_an_empty_restriction_is_refused_with_the_request(processor: Any, wrong: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="non-empty"):
        processor.validate_params(SamplingParams(extra_args={CHOICES: wrong}))
    processor.validate_params(SamplingParams())
    processor.validate_params(restricted([11, END]))
