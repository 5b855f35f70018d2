"""The same parameters, messages and mistakes at every door: `/v1`, both kinds of batch lines, and REST."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from batches.prompts import read_prompt
from chat_requests.chat_request import read_chat_request
from conversations.api.serializers import ParametersField
from conversations.parameters import RequestParameters
from helpdesk.errors import InvalidInput

USER = [{"role": "user", "content": "Hello"}]
OF_THE_DESK = {"grounded", "use_cache"}


def as_body(parameters: dict[str, Any]) -> dict[str, Any]:
    extras = {name: value for name, value in parameters.items() if name in OF_THE_DESK}
    others = {name: value for name, value in parameters.items() if name not in OF_THE_DESK}
    return {"model": "m", "messages": USER, "glassdesk": extras, **others}


def of_prompt(line: dict[str, Any]) -> RequestParameters:
    return RequestParameters.from_json(read_prompt(line, custom_id="1", defaults={}).parameters)


DOORS: dict[str, Callable[[dict[str, Any]], RequestParameters]] = {
    "/v1": lambda given: read_chat_request(as_body(given)).parameters,
    "a line of OpenAI's": lambda given: of_prompt({"body": as_body(given)}),
    "a line of the desk's": lambda given: of_prompt({"question": "Hello", "parameters": given}),
    "REST": lambda given: ParametersField().to_internal_value(given),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({}, RequestParameters()),
        ({"temperature": 1}, RequestParameters(temperature=1.0)),
        ({"max_tokens": 5.0, "seed": 7.0}, RequestParameters(max_tokens=5, seed=7)),
        ({"stop": "END"}, RequestParameters(stop=("END",))),
        ({"stop": ["a", "b"]}, RequestParameters(stop=("a", "b"))),
        ({"grounded": False, "use_cache": False}, RequestParameters(grounded=False, use_cache=False)),
        (dict.fromkeys(["temperature", "top_p", "max_tokens", "seed", "stop", *OF_THE_DESK]), RequestParameters()),
    ],
)
def test_parameters_mean_the_same(door: str, given: dict[str, Any], read: RequestParameters) -> None:
    assert DOORS[door](given) == read


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", "0.5"), ("temperature", True), ("temperature", 2.5), ("temperature", 10**400),
        ("temperature", float("nan")), ("top_p", 1.5), ("top_p", -1), ("max_tokens", 0), ("max_tokens", 1.5),
        ("max_tokens", "5"), ("seed", True), ("seed", 10**30), ("stop", [1]), ("stop", ["a"] * 5), ("stop", ["x" * 65]),
        ("stop", ["\x00"]), ("stop", {}), ("grounded", "no"), ("grounded", 1), ("use_cache", 0), ("zebra", 1),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_its_name_and_not_quoted(door: str, name: str, value: Any) -> None:
    with pytest.raises((InvalidInput, ValidationError)) as caught:
        DOORS[door]({name: value})
    error = caught.value
    if isinstance(error, InvalidInput):
        found, sentence = str(error.details["parameter"]), str(error.message)
    else:
        ((found, (sentence,)),) = error.detail.items()
    assert found.removeprefix("glassdesk.") == name
    assert len(sentence) > 15
    assert len(sentence) < 300
    assert not isinstance(value, str) or f"“{value}”" not in sentence


MESSAGES: list[tuple[Any, str]] = [
    ([], "messages"),
    ("Hello", "messages"),
    (USER * 201, "messages"),
    (["Hello"], "messages[0]"),
    ([{"content": "Hello"}], "messages[0].role"),
    ([{"role": "robot", "content": "Hello"}], "messages[0].role"),
    ([{"role": "user", "content": None}], "messages[0].content"),
    ([{"role": "user", "content": "a\x00"}], "messages[0].content"),
    ([{"role": "user", "content": [{"type": "text", "text": 5}]}], "messages[0].content[0].text"),
    ([*USER, {"role": "assistant", "content": "", "tool_calls": [{}]}], "messages[1].tool_calls"),
    ([{"role": "user", "content": "Hello", "zebra": 1}], "messages[0].zebra"),
    ([{"role": "user", "content": "Hello", "z" * 5000: 1}], f"messages[0].{'z' * 5000}"[:100]),
    ([{"role": "system", "content": "x" * 8001}, *USER], "messages"),
    ([{"role": "user", "content": "x" * 100_000}, {"role": "user", "content": "x" * 100_001}], "messages"),
]


@pytest.mark.parametrize("door", ["/v1", "a line of OpenAI's", "a line of the desk's"])
@pytest.mark.parametrize(("messages", "place"), MESSAGES, ids=range(len(MESSAGES)))
def test_messages_are_refused_at_the_same_place(door: str, messages: Any, place: str) -> None:
    body = {"model": "m", "messages": messages}
    with pytest.raises(InvalidInput) as caught:
        match door:
            case "/v1":
                read_chat_request(body)
            case "a line of OpenAI's":
                read_prompt({"body": body}, custom_id="1", defaults={})
            case _:
                read_prompt({"messages": messages}, custom_id="1", defaults={})
    assert caught.value.details.get("parameter") == place


def test_a_batch_takes_as_many_messages_and_as_long_ones_as_the_endpoint() -> None:
    messages = [
        {"role": "developer", "content": "x" * 8000},
        *USER * 198,
        {"role": "user", "content": [{"type": "text", "text": "And"}, {"type": "text", "text": "now?"}]},
    ]
    prompt = read_prompt({"messages": messages}, custom_id="1", defaults={})
    request = read_chat_request({"model": "m", "messages": messages})
    assert [message["content"] for message in prompt.messages] == [turn.body for turn in request.turns]
    assert prompt.parameters == {"instructions": request.parameters.instructions}


@pytest.mark.parametrize(
    "body",
    [
        {"model": "m", "messages": USER, **{f"zebra{number}": number for number in range(200_000)}},
        {"model": "m", "messages": [{**USER[0], **{f"zebra{number}": 1 for number in range(200_000)}}]},
        {"model": "m", "messages": [{"role": "user", "content": [5] * 300_000}]},
        {"model": "m", "messages": [5] * 300_000},
        {"model": "m", "messages": USER, "stop": [5] * 300_000},
        {"model": "m", "messages": USER, "metadata": json.loads("[" * 900 + "]" * 900), "glassdesk": {"zebra": 1}},
    ],
    ids=["unknown", "in a message", "parts", "messages", "stops", "deep"],
)
def test_a_body_of_nothing_but_mistakes_is_refused_for_the_first(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_chat_request(body)
    assert len(str(caught.value.message)) < 300
    assert "zebra1" not in str(caught.value.message)
