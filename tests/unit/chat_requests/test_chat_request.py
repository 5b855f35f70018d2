"""What is understood of a request, and that everything else is refused by its name."""

from __future__ import annotations

from typing import Any

import pytest

from chat_requests.chat_request import ChatRequest, read_chat_request
from chat_requests.messages import Turn
from conversations.models import Author
from conversations.parameters import RequestParameters
from helpdesk.errors import GlassdeskError

MESSAGES = [{"role": "user", "content": "How long does delivery take?"}]
SCHEMA = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}
ALONE = {"grounded": False}


def read(**fields: Any) -> ChatRequest:
    return read_chat_request({"model": "m", "messages": MESSAGES} | fields)


def test_the_smallest_request_asks_the_assistant_as_it_is_set() -> None:
    assert read() == ChatRequest(
        model="m",
        turns=(Turn(Author.CUSTOMER, "How long does delivery take?"),),
        parameters=RequestParameters(),
    )


def test_everything_that_is_understood() -> None:
    request = read(
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Be"}, {"type": "text", "text": "kind."}]},
            {"role": "user", "content": "Hello", "name": "ana"},
            {"role": "assistant", "content": "Good day.", "refusal": None},
            {"role": "user", "content": " How long? \n"},
        ],
        temperature=1,
        top_p=0.5,
        max_completion_tokens=40,
        seed=3,
        stop="END",
        n=2,
        logprobs=True,
        top_logprobs=4,
        stream=True,
        stream_options={"include_usage": True},
        user="customer-17",
        glassdesk={"grounded": True, "use_cache": False},
        tools=[],
        frequency_penalty=0,
        store=False,
    )
    assert request == ChatRequest(
        model="m",
        turns=(Turn(Author.CUSTOMER, "Hello"), Turn(Author.AI, "Good day."), Turn(Author.CUSTOMER, "How long?")),
        parameters=RequestParameters(
            temperature=1.0,
            top_p=0.5,
            max_tokens=40,
            seed=3,
            stop=("END",),
            top_logprobs=4,
            use_cache=False,
            instructions="Be brief.\nBe\nkind.",
        ),
        choices=2,
        stream=True,
        include_usage=True,
        logprobs=4,
        customer="customer-17",
    )


def test_probabilities_are_those_of_an_answer_that_was_written_for_this_request() -> None:
    assert read().parameters.use_cache
    assert not read(logprobs=True).parameters.use_cache


def test_messages_to_the_model_alone_are_not_altered() -> None:
    request = read(messages=[{"role": "user", "content": " indented\r\n"}], glassdesk=ALONE)
    assert request.question == " indented\r\n"


@pytest.mark.parametrize(
    ("asked", "schema"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, {"type": "object", "additionalProperties": True}),
        ({"type": "json_schema", "json_schema": {"name": "days", "schema": SCHEMA, "strict": True}}, SCHEMA),
    ],
)
def test_response_formats_become_schemas(asked: dict[str, Any], schema: dict[str, Any] | None) -> None:
    assert read(response_format=asked, glassdesk=ALONE).parameters.json_schema == schema


@pytest.mark.parametrize(
    ("fields", "parameter"),
    [
        ({"model": ""}, "model"),
        ({"model": None}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "Hello"}, "messages"),
        ({"messages": [{"role": "assistant", "content": "Hello"}]}, "messages"),
        ({"messages": [{"role": "system", "content": "Hello"}]}, "messages"),
        ({"messages": [{"role": "tool", "content": "4", "tool_call_id": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": None}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": "a\x00b"}]}, "messages[0].content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            "messages[0].content[0]",
        ),
        ({"messages": [{"role": "user", "content": [{"type": ["text"], "text": "x"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "system", "content": None}, *MESSAGES]}, "messages[0].content"),
        (
            {
                "messages": [
                    *MESSAGES,
                    {"role": "assistant", "content": None},
                    {"role": "system", "content": "x"},
                    {"role": "assistant", "content": "Yes."},
                ]
            },
            "messages",
        ),
        ({"messages": [*MESSAGES, {"role": "assistant", "tool_calls": [{}], "content": ""}]}, "messages[1].tool_calls"),
        ({"messages": MESSAGES * 201}, "messages"),
        ({"temperature": 2.5}, "temperature"),
        ({"temperature": "0.5"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": -0.1}, "top_p"),
        ({"top_p": 1.5}, "top_p"),
        ({"top_p": False}, "top_p"),
        ({"temperature": 10**300}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 4, "max_completion_tokens": 5}, "max_tokens"),
        ({"seed": 1.5}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"seed": -(2**63) - 1}, "seed"),
        ({"seed": True}, "seed"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stop": [1]}, "stop"),
        ({"n": 0}, "n"),
        ({"n": 5}, "n"),
        ({"logprobs": 3}, "logprobs"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": True, "stream_options": {"usage": True}}, "stream_options.usage"),
        ({"stream": True, "stream_options": {"include_usage": 1}}, "stream_options.include_usage"),
        ({"verbosity": "low"}, "verbosity"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"service_tier": "priority"}, "service_tier"),
        ({"presence_penalty": False}, "presence_penalty"),
        ({"parallel_tool_calls": 1}, "parallel_tool_calls"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"response_format": {"type": "xml"}, "glassdesk": ALONE}, "response_format"),
        ({"response_format": {"type": "json_schema"}, "glassdesk": ALONE}, "response_format"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": 7}}}, "glassdesk": ALONE},
            "response_format",
        ),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"logit_bias": {"50256": -100}}, "logit_bias"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"best_of": 2}, "best_of"),
        ({"glassdesk": {"ground": False}}, "glassdesk.ground"),
        ({"glassdesk": {"grounded": "no"}}, "glassdesk.grounded"),
        ({"glassdesk": True}, "glassdesk"),
        ({"user": "a\nb"}, "user"),
        ({"user": "x" * 129}, "user"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_its_name(fields: dict[str, Any], parameter: str) -> None:
    with pytest.raises(GlassdeskError) as caught:
        read(**fields)
    assert (caught.value.status, caught.value.details["parameter"]) == (400, parameter)
    assert len(str(caught.value.message)) > 15


# What clients send without having been asked to, by their defaults or by the frameworks on top of them.
SENT_BY_DEFAULT: list[dict[str, Any]] = [
    {"verbosity": "medium"},
    {"top_logprobs": 0},
    {"logprobs": False, "top_logprobs": None},
    {"n": 1, "stop": None, "logit_bias": {}, "presence_penalty": 0, "frequency_penalty": 0.0},
    {"tools": [], "tool_choice": "auto", "parallel_tool_calls": True},
    {"tool_choice": "none", "function_call": "auto", "functions": []},
    {"metadata": {"run": "17"}, "store": False, "service_tier": "auto"},
    {"store": True, "metadata": None, "service_tier": "default"},
    {"response_format": {"type": "text"}, "modalities": ["text"]},
    {"reasoning_effort": "medium"},
    {"reasoning_effort": "minimal", "prompt_cache_key": "k", "prompt_cache_retention": "24h"},
    {"stream_options": None},
    {"stream_options": {}},
]


@pytest.mark.parametrize("fields", SENT_BY_DEFAULT, ids=",".join)
def test_what_clients_send_by_default_asks_for_nothing(fields: dict[str, Any]) -> None:
    assert read(**fields) == read()


NULLABLE = {
    "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs", "max_completion_tokens",
    "max_tokens", "metadata", "modalities", "moderation", "n", "parallel_tool_calls", "prediction", "presence_penalty",
    "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning_effort", "response_format",
    "safety_identifier", "seed", "service_tier", "stop", "store", "stream", "stream_options", "temperature",
    "tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity", "web_search_options", "glassdesk",
}  # fmt: skip


def test_every_parameter_of_openais_client_is_known_and_null_means_that_it_is_absent() -> None:
    from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming

    assert set(CompletionCreateParamsNonStreaming.__annotations__) | {"glassdesk"} == NULLABLE | {"model", "messages"}
    assert read(**dict.fromkeys(NULLABLE)) == read()


def test_numbers_of_openais_are_mapped_to_the_engines() -> None:
    def parameters(**fields: Any) -> RequestParameters:
        return read(**fields).parameters

    assert parameters(top_p=0) == RequestParameters(top_p=0.01)
    assert parameters(max_tokens=100_000) == RequestParameters(max_tokens=32_768)
    seeds = {-1: 2**31 - 1, 2**31: 0, 2**31 + 7: 7, 2**63 - 1: 2**31 - 1, -(2**63): 0, 5: 5}
    assert {seed: parameters(seed=seed).seed for seed in seeds} == seeds


def test_instructions_may_stand_anywhere_and_turns_without_a_word_are_none() -> None:
    request = read(
        messages=[
            {"role": "user", "content": "Hello", "name": None},
            {"role": "system", "content": "Be brief."},
            {"role": "assistant", "content": None, "refusal": None, "tool_calls": [], "function_call": None},
            {"role": "assistant", "content": None, "refusal": "I would rather not."},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}], "audio": None, "annotations": []},
            {"role": "user", "content": "And now?"},
            {"role": "developer", "content": ""},
            {"role": "developer", "content": "Be kind."},
        ]
    )
    assert request.parameters.instructions == "Be brief.\nBe kind."
    assert request.turns == (
        Turn(Author.CUSTOMER, "Hello"),
        Turn(Author.AI, "I would rather not."),
        Turn(Author.AI, "No."),
        Turn(Author.CUSTOMER, "And now?"),
    )


@pytest.mark.parametrize("body", [None, [], "text", 7])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(GlassdeskError):
        read_chat_request(body)
