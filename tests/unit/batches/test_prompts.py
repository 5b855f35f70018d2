"""What a line of a submission may hold."""

from __future__ import annotations

from typing import Any

import pytest

from batches.lines import read_json, read_jsonl
from batches.prompts import read_parameters, read_prompt
from helpdesk.errors import GlassdeskError, InvalidInput, MessageTooLong
from tests.unit.chat_requests.test_chat_request import SENT_BY_DEFAULT

USER = [{"role": "user", "content": "Hello"}]


def read(line: object, **defaults: Any):  # type: ignore[no-untyped-def]
    return read_prompt(line, custom_id="7", defaults=defaults)


def test_a_question_becomes_one_message_in_its_own_language() -> None:
    prompt = read({"question": " 快递多少钱？\r\n"})
    assert prompt.messages == ({"role": "user", "content": "快递多少钱？"},)
    assert (prompt.custom_id, prompt.language, prompt.parameters) == ("7", "zh", {})


def test_messages_keep_their_order_and_system_ones_become_instructions() -> None:
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi"},
        {"role": "user", "content": "And returns?"},
    ]
    prompt = read({"custom_id": "a-1", "messages": turns, "parameters": {"seed": 3}, "language": "en"})
    assert [message["content"] for message in prompt.messages] == ["Hello", "Hi", "And returns?"]
    assert (prompt.custom_id, prompt.parameters) == ("a-1", {"seed": 3, "instructions": "Be brief."})


def test_a_line_of_openais_batch_file_is_read() -> None:
    line = {
        "custom_id": "r1",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {
            "model": "any",
            "messages": [{"role": "user", "content": "Hello"}],
            "max_tokens": 20,
            "stop": "\n",
            "stream": False,
            "n": 1,
            "temperature": None,
        },
    }
    assert read(line).parameters == {"max_tokens": 20, "stop": ["\n"]}


@pytest.mark.parametrize("fields", SENT_BY_DEFAULT, ids=",".join)
def test_a_batch_takes_whatever_the_endpoint_takes(fields: dict[str, Any]) -> None:
    assert read({"body": {"messages": USER, **fields}}).parameters == {}


def test_a_body_may_overrule_the_batch_and_is_read_in_its_light() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "integer"}}}
    alone = read({"body": {"messages": USER, "response_format": form, "seed": -1}}, grounded=False)
    assert alone.parameters == {"grounded": False, "json_schema": {"type": "integer"}, "seed": 2**31 - 1}
    back = read({"body": {"messages": USER, "glassdesk": {"grounded": True}}}, grounded=False)
    assert back.parameters == {"grounded": True}


def test_an_items_parameter_may_overrule_the_batchs_with_the_default_value() -> None:
    assert read({"question": "Hello", "parameters": {"grounded": True}}, grounded=False).parameters == {
        "grounded": True
    }


@pytest.mark.parametrize(
    ("line", "parameter"),
    [
        (None, None),
        ([], None),
        ({}, None),
        ({"custom_id": "x"}, None),
        ({"question": "a", "messages": USER}, None),
        ({"question": 5}, None),
        ({"question": " "}, None),
        ({"question": "a\x00"}, None),
        ({"question": "a", "colour": 1}, "colour"),
        ({"question": "a", "method": "POST"}, "method"),
        ({"question": "a", "custom_id": ""}, "custom_id"),
        ({"question": "a", "custom_id": 5}, "custom_id"),
        ({"question": "a", "custom_id": "x" * 65}, "custom_id"),
        ({"question": "a", "custom_id": "x\n"}, "custom_id"),
        ({"question": "a", "language": "fr"}, "language"),
        ({"question": "a", "language": ["en"]}, "language"),
        ({"question": "a", "parameters": []}, "parameters"),
        ({"question": "a", "parameters": {"temperature": "hot"}}, "temperature"),
        ({"question": "a", "parameters": {"temperature": True}}, "temperature"),
        ({"question": "a", "parameters": {"temperature": 2.5}}, "temperature"),
        ({"question": "a", "parameters": {"max_tokens": 1.5}}, "max_tokens"),
        ({"question": "a", "parameters": {"stop": [1]}}, "stop"),
        ({"question": "a", "parameters": {"stop": ["x"] * 5}}, "stop"),
        ({"question": "a", "parameters": {"stop": ["\x00"]}}, "stop"),
        ({"question": "a", "parameters": {"json_schema": {"title": "\ud800"}}}, "json_schema"),
        ({"question": "a", "parameters": {"colour": 1}}, "colour"),
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": USER * 201}, "messages"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": ["user"], "content": "a"}]}, "messages[0].role"),
        ({"messages": [{"role": "tool", "content": "a"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": "a", "colour": 1}]}, "messages[0].colour"),
        ({"messages": [*USER, {"role": "assistant", "content": "a"}]}, "messages"),
        ({"messages": [{"role": "system", "content": "a"}]}, "messages"),
        ({"body": []}, "body"),
        ({"body": {"messages": USER}, "url": "/v1/embeddings"}, "url"),
        ({"body": {"messages": USER, "tools": [{}]}}, "tools"),
        ({"body": {"messages": USER, "stream": True}}, "stream"),
        ({"body": {"messages": USER, "logprobs": True}}, "logprobs"),
        ({"body": {"messages": USER, "colour": 1}}, "colour"),
        ({"question": "a", "parameters": {"json_schema": {"$ref": "#"}}}, "json_schema"),
        ({"body": {"messages": USER, "n": 2}}, "n"),
        ({"body": {"messages": USER}, "parameters": {}}, "parameters"),
        ({"body": {}}, "messages"),
    ],
)
def test_a_line_that_cannot_be_used_says_which_member_is_at_fault(line: object, parameter: str | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(line)
    assert caught.value.details.get("parameter") == parameter
    assert str(caught.value.message)


def test_a_question_that_is_too_long_says_so() -> None:
    with pytest.raises(MessageTooLong):
        read({"question": "x" * 4001})


def test_parameters_that_only_together_make_no_sense_are_refused() -> None:
    assert read_parameters({}) == {}
    with pytest.raises(GlassdeskError):
        read({"question": "a"}, temperature=9)


def test_jsonl_counts_blank_lines_and_keeps_reading_behind_a_broken_one() -> None:
    submission = read_jsonl(b'\xef\xbb\xbf{"question": "a"}\r\n\n{"question"\n[NaN]\n"\xff"\n' + b"[" * 100_000)
    assert [(line.number, bool(line.broken)) for line in submission.lines] == [
        (1, False),
        (3, True),
        (4, True),
        (5, True),
        (6, True),
    ]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"items": 5}', b'{"items": [], "x": 1}', b"{", b"[" * 100_000])
def test_a_json_submission_without_a_list_of_items_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_json(body)


def test_a_json_submission_may_have_a_name_and_defaults() -> None:
    submission = read_json(b'{"name": "May", "defaults": {"seed": 1}, "items": [{"question": "a"}]}')
    assert (submission.name, submission.defaults, len(list(submission.lines))) == ("May", {"seed": 1}, 1)
