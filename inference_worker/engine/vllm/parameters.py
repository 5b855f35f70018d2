"""What vLLM is asked for: its own sampling parameters for writing, quoting and scoring. Imports vLLM when called."""

from __future__ import annotations

from typing import Any

from inference_worker.engine.contract import SamplingParameters
from inference_worker.engine.vllm.answer_reader import CHOICES


def writing(sampling: SamplingParameters) -> Any:
    """An answer whose words the model chooses."""
    from vllm.sampling_params import RequestOutputKind, SamplingParams, StructuredOutputsParams

    schema = sampling.json_schema
    return SamplingParams(
        max_tokens=sampling.max_tokens,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        seed=sampling.seed,
        stop=list(sampling.stop),
        logprobs=sampling.top_logprobs,
        output_kind=RequestOutputKind.DELTA,
        structured_outputs=None if schema is None else StructuredOutputsParams(json=schema),
    )


def quoting(
    sampling: SamplingParameters, permitted: list[list[int]], *, end: int, max_tokens: int, has_forced: bool
) -> Any:
    """A piece of an answer that may become only what is `permitted` (token ids, each to its `end` of turn).

    With `has_forced` the end of the prompt is part of the answer, and its rows are wanted too.
    """
    from vllm.sampling_params import RequestOutputKind, SamplingParams

    return SamplingParams(
        max_tokens=max_tokens,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        seed=sampling.seed,
        stop_token_ids=[end],
        logprobs=sampling.top_logprobs,
        prompt_logprobs=sampling.top_logprobs if has_forced else None,
        skip_reading_prefix_cache=False,
        detokenize=False,
        output_kind=RequestOutputKind.DELTA,
        extra_args={CHOICES: permitted},
    )


def scoring(*, from_cache: bool) -> Any:
    """The log-probability of each token of the prompt."""
    from vllm.sampling_params import RequestOutputKind, SamplingParams

    return SamplingParams(
        max_tokens=1,
        temperature=0.0,
        prompt_logprobs=0,
        detokenize=False,
        output_kind=RequestOutputKind.FINAL_ONLY,
        skip_reading_prefix_cache=not from_cache,
    )
