"""What is understood of a request, and that everything else is refused by its name."""

from __future__ import annotations

from typing import Any

import pytest

from conversations.models import Author
from conversations.parameters import RequestParameters
from helpdesk.errors import GlassdeskError
from openai_api.chat_request import ChatRequest, read_chat_request
from openai_api.messages import Turn

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
        ({"messages": [*MESSAGES, {"role": "system", "content": "Late."}]}, "messages[1]"),
        ({"messages": [*MESSAGES, {"role": "assistant", "tool_calls": [{}], "content": ""}]}, "messages[1].tool_calls"),
        ({"messages": MESSAGES * 201}, "messages"),
        ({"temperature": 2.5}, "temperature"),
        ({"temperature": "0.5"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 4, "max_completion_tokens": 5}, "max_tokens"),
        ({"seed": 1.5}, "seed"),
        ({"seed": 2**31}, "seed"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stop": [1]}, "stop"),
        ({"n": 0}, "n"),
        ({"n": 5}, "n"),
        ({"logprobs": 3}, "logprobs"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
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


@pytest.mark.parametrize("body", [None, [], "text", 7])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(GlassdeskError):
        read_chat_request(body)
