"""One line of a submission: what it may hold, and the item that it becomes. Pure.

Three forms are read: `question`, `messages`, and the lines of OpenAI's batch files, whose `body` is a chat completion.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext as _

from chat_requests.chat_request import read_chat_request
from chat_requests.errors import InvalidJsonSchema
from chat_requests.json_schemas import check_schema
from conversations.models import Author
from conversations.parameters import RequestParameters, is_storable
from conversations.validation import clean_body
from helpdesk.errors import InvalidInput
from helpdesk.tenants.models import Language
from knowledge.text import detect_language

MAX_MESSAGES = 40
MAX_CUSTOM_ID = 64
COMMON = frozenset({"custom_id", "language"})
# What a line may hold, by the member that says what is asked.
FORMS = {
    "question": COMMON | {"question", "parameters"},
    "messages": COMMON | {"messages", "parameters"},
    "body": COMMON | {"body", "method", "url"},
}
OPENAI_URL = "/v1/chat/completions"
OPENAI_ROLES = {Author.CUSTOMER: "user", Author.AI: "assistant"}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_stop(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


PARAMETERS: dict[str, Callable[[object], bool]] = {
    "temperature": _is_number,
    "top_p": _is_number,
    "max_tokens": _is_whole,
    "seed": _is_whole,
    "stop": _is_stop,
    "grounded": lambda value: isinstance(value, bool),
    "use_cache": lambda value: isinstance(value, bool),
    "instructions": _is_text,
    "json_schema": lambda value: isinstance(value, dict),
}


@dataclass(frozen=True, slots=True)
class BatchPrompt:
    """A checked item. `messages` end with the question; `parameters` are `RequestParameters.to_json()`."""

    custom_id: str
    messages: tuple[dict[str, str], ...]
    parameters: dict[str, Any]
    language: str


def read_prompt(line: object, *, custom_id: str, defaults: Mapping[str, Any]) -> BatchPrompt:
    """The item of one line; `custom_id` is what it is called when the line has no name for it.

    Raises InvalidInput, with the member at fault as `parameter`.
    """
    if not isinstance(line, dict):
        raise InvalidInput(_("Each item must be a JSON object."))
    forms = [name for name in FORMS if name in line]
    if len(forms) != 1:
        raise InvalidInput(_("Each item needs exactly one of “question”, “messages” and “body”."))
    _refuse_unknown(line, FORMS[forms[0]])
    if forms == ["body"]:
        messages, read = _asked_of_openai(line, grounded=defaults.get("grounded", True))
    else:
        messages, read = _asked(line)
    if defaults:
        # Together they must make sense as well; the item's own go first.
        RequestParameters.from_json({**defaults, **read})
    if not messages or messages[-1]["role"] != "user":
        raise InvalidInput(_("The last message must be the customer's, with the role “user”."), parameter="messages")
    return BatchPrompt(
        custom_id=_custom_id(line.get("custom_id", custom_id)),
        messages=messages,
        parameters=read,
        language=_language(line.get("language"), messages[-1]["content"]),
    )


def read_parameters(given: object, *, member: str = "parameters") -> dict[str, Any]:
    """Parameters as they are stored; `member` is where they stood. Raises InvalidInput."""
    if not isinstance(given, dict):
        raise _wrong_kind(member)
    _refuse_unknown(given, PARAMETERS)
    # OpenAI takes a single text as well.
    values = {name: [value] if name == "stop" and _is_text(value) else value for name, value in given.items()}
    values = {name: value for name, value in values.items() if value is not None}
    for name, value in values.items():
        if not PARAMETERS[name](value):
            raise _wrong_kind(name)
    if "instructions" in values:
        values["instructions"] = clean_body(values["instructions"])
    if isinstance(schema := values.get("json_schema"), dict):
        try:
            check_schema(schema)
        except InvalidJsonSchema as error:
            raise InvalidInput(error.message, parameter="json_schema") from None
    if values:
        _refuse_unstorable(values)
    # What is said is kept, also where it equals a default: it may overrule the batch's.
    RequestParameters.from_json(values)
    return values


def _asked(line: dict[str, Any]) -> tuple[tuple[dict[str, str], ...], dict[str, Any]]:
    """The turns of the conversation, and the parameters as they are stored."""
    parameters = line.get("parameters", {})
    if not isinstance(parameters, dict):
        raise _wrong_kind("parameters")
    turns = [("user", clean_body(line["question"]))] if "question" in line else _turns(line["messages"])
    instructions = [text for role, text in turns if role == "system"]
    given = parameters | ({"instructions": "\n".join(instructions)} if instructions else {})
    return tuple({"role": role, "content": text} for role, text in turns if role != "system"), read_parameters(given)


def _asked_of_openai(line: dict[str, Any], *, grounded: bool) -> tuple[tuple[dict[str, str], ...], dict[str, Any]]:
    """The same of a chat completion, read by the rules of `/v1`; `grounded` is what the batch says of all its items."""
    body = line["body"]
    if not isinstance(body, dict):
        raise _wrong_kind("body")
    if (line.get("method", "POST"), line.get("url", OPENAI_URL)) != ("POST", OPENAI_URL):
        raise InvalidInput(_("Only POST to %(url)s can be a batch item.") % {"url": OPENAI_URL}, parameter="url")
    request = read_chat_request(body, needs_model=False, grounded=grounded)
    for name, is_asked in (("stream", request.stream), ("n", request.choices != 1), ("logprobs", body.get("logprobs"))):
        if is_asked:
            raise InvalidInput(
                _("A batch item is one answer in one piece, without probabilities: leave out “%(name)s”.")
                % {"name": name},
                parameter=name,
            )
    messages = tuple({"role": OPENAI_ROLES[turn.author], "content": turn.body} for turn in request.turns)
    said = {name for name, value in (body.get("glassdesk") or {}).items() if value is not None}
    # What is said is kept, also where it equals a default: it may overrule the batch's.
    stated = asdict(request.parameters)
    read = request.parameters.to_json() | {name: stated[name] for name in said}
    return messages, read | ({"stop": list(read["stop"])} if "stop" in read else {})


def _turns(messages: object) -> list[tuple[str, str]]:
    if not isinstance(messages, list) or not 0 < len(messages) <= MAX_MESSAGES:
        raise InvalidInput(
            _("“messages” must be a list of 1 to %(count)d messages.") % {"count": MAX_MESSAGES}, parameter="messages"
        )
    roles = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
    turns = []
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        if not isinstance(role, str) or role not in roles:
            raise InvalidInput(
                _("Each message needs a “role” (system, user or assistant) and a “content”."), parameter="messages"
            )
        turns.append((roles[role], clean_body(message.get("content"))))
    return turns


def _custom_id(given: object) -> str:
    if not isinstance(given, str) or not 0 < len(given) <= MAX_CUSTOM_ID or not given.isprintable():
        raise InvalidInput(
            _("“custom_id” must be a text of 1 to %(count)d printable characters.") % {"count": MAX_CUSTOM_ID},
            parameter="custom_id",
        )
    return given


def _language(given: object, question: str) -> str:
    if given is None:
        return detect_language(question)
    if given not in Language.values:
        raise InvalidInput(_("“language” must be “en” or “zh”."), parameter="language")
    return str(given)


def _refuse_unknown(given: Mapping[str, Any], known: Container[str]) -> None:
    for name in given:
        if name not in known:
            raise _unknown(name)


def _unknown(name: str) -> InvalidInput:
    shown = name[:40]
    return InvalidInput(_("“%(name)s” is not known here. Leave it out.") % {"name": shown}, parameter=shown)


def _wrong_kind(name: str) -> InvalidInput:
    return InvalidInput(_("“%(name)s” has a value of the wrong kind.") % {"name": name}, parameter=name)


def _refuse_unstorable(values: dict[str, Any]) -> None:
    if not is_storable(values):
        raise InvalidInput(_("The parameters contain control characters. Remove them and send it again."))
