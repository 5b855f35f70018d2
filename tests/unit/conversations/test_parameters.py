"""What a request may ask is checked once, and stored and read back unchanged."""

from __future__ import annotations

import pytest

from conversations.parameters import RequestParameters
from helpdesk.errors import InvalidInput


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 2.1),
        ("temperature", float("nan")),
        ("top_p", 0),
        ("max_tokens", 0),
        ("seed", -1),
        ("top_logprobs", 21),
        ("stop", ("",)),
        ("stop", ("a", "b", "c", "d", "e")),
        ("stop", ("zebra \x00",)),
        ("stop", ("\ud800",)),
        ("instructions", "\x00"),
        ("json_schema", {"title": "\x00"}),
        ("json_schema", {"enum": ["\ud800"]}),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        RequestParameters(**{name: value})  # type: ignore[arg-type]
    assert caught.value.details["parameter"] == name


def test_an_ordinary_request_stores_nothing() -> None:
    assert RequestParameters().to_json() == {}


def test_what_is_stored_comes_back() -> None:
    asked = RequestParameters(temperature=0.7, stop=("\n", "。"), grounded=False, json_schema={"type": "object"})
    assert RequestParameters.from_json(asked.to_json()) == asked
