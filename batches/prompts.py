"""One line of a submission: what it may hold, and the item that it becomes. Pure.

Three forms are read: `question`, `messages`, and the lines of OpenAI's batch files, whose `body` is a chat completion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _

from chat_requests.chat_request import ChatBody, ChatRequest, request_in
from chat_requests.errors import InvalidJsonSchema
from chat_requests.json_schemas import check_schema
from chat_requests.messages import ChatMessages, Said, Turn, joined_instructions, said_in
from conversations.models import Author
from conversations.parameters import RequestParameters
from conversations.validation import clean_body, clean_text
from helpdesk.api.vocabulary import Check, Refused, Vocabulary
from helpdesk.errors import InvalidInput
from knowledge.text import detect_language

MAX_CUSTOM_ID = 64
OPENAI_URL = "/v1/chat/completions"
ROLES = {Author.CUSTOMER: "user", Author.AI: "assistant"}
# Probabilities are of an answer that somebody waits for.
PARAMETERS = {field.name for field in fields(RequestParameters)} - {"top_logprobs"}


class CustomId(Check):
    """What the item is called: it stands in results and files."""

    def look(self, value: Any) -> None:
        if not 0 < len(value) <= MAX_CUSTOM_ID or not value.isprintable():
            raise Refused.saying(
                _("“custom_id” must be a string of 1 to %(count)d printable characters."), count=MAX_CUSTOM_ID
            )


class Item(Vocabulary):
    """What every form of an item may have."""

    custom_id: Annotated[str | None, CustomId()] = None
    language: Literal["en", "zh"] | None = None


class AskedItem(Item):
    """A question by itself."""

    question: Any
    parameters: dict[str, Any] = {}


class ToldItem(Item):
    """A conversation that ends with the question."""

    messages: ChatMessages
    parameters: dict[str, Any] = {}


class OpenAIItem(Item):
    """A line of OpenAI's batch files."""

    body: dict[str, Any]
    method: Any = "POST"
    url: Any = OPENAI_URL


FORMS: Mapping[str, type[AskedItem | ToldItem | OpenAIItem]] = {
    "question": AskedItem,
    "messages": ToldItem,
    "body": OpenAIItem,
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
    forms = [form for name, form in FORMS.items() if name in line]
    if len(forms) != 1:
        raise InvalidInput(_("Each item needs exactly one of “question”, “messages” and “body”."))
    item = forms[0].read(line)
    grounded = bool(defaults.get("grounded", True))
    if isinstance(item, OpenAIItem):
        turns, parameters = _asked_of_openai(item, grounded=grounded)
    else:
        turns, parameters = _asked(item, grounded=grounded)
    if defaults:
        # Together they must make sense as well; the item's own go first.
        RequestParameters.from_json({**defaults, **parameters})
    return BatchPrompt(
        custom_id=item.custom_id or custom_id,
        messages=tuple({"role": ROLES[turn.author], "content": turn.body} for turn in turns),
        parameters=parameters,
        language=item.language or detect_language(turns[-1].body),
    )


def read_parameters(given: object, *, member: str = "parameters") -> dict[str, Any]:
    """Parameters as they are stored; `member` is where they stood. Raises InvalidInput."""
    if not isinstance(given, dict):
        raise InvalidInput(_("“%(name)s” must be an object.") % {"name": member}, parameter=member)
    read = RequestParameters.read(given, known=PARAMETERS)
    if read.json_schema is not None:
        try:
            check_schema(read.json_schema)
        except InvalidJsonSchema as error:
            raise InvalidInput(error.message, parameter="json_schema") from None
    said = {name for name, value in given.items() if value is not None}
    stored = _stored(read, said)
    if "instructions" in stored:
        stored["instructions"] = joined_instructions([clean_text(read.instructions)], parameter="instructions")
    return stored


def _asked(item: AskedItem | ToldItem, *, grounded: bool) -> tuple[tuple[Turn, ...], dict[str, Any]]:
    """The turns of the conversation, and the parameters as they are stored."""
    parameters = read_parameters(item.parameters)
    if isinstance(item, AskedItem):
        said = Said("", (Turn(Author.CUSTOMER, clean_body(item.question)),))
    else:
        said = said_in(item.messages, grounded=parameters.get("grounded", grounded))
    return said.turns, parameters | ({"instructions": said.instructions} if said.instructions else {})


def _asked_of_openai(item: OpenAIItem, *, grounded: bool) -> tuple[tuple[Turn, ...], dict[str, Any]]:
    """The same of a chat completion; `grounded` is what the batch says of all its items."""
    if (item.method, item.url) != ("POST", OPENAI_URL):
        raise InvalidInput(_("Only POST to %(url)s can be a batch item.") % {"url": OPENAI_URL}, parameter="url")
    body = ChatBody.read(item.body)
    request = request_in(body, grounded=grounded)
    _refuse_several_pieces(request)
    # What is said is kept, also where it equals a default: it may overrule the batch's.
    return request.turns, _stored(request.parameters, {*request.parameters.to_json(), *body.glassdesk.model_fields_set})


def _refuse_several_pieces(request: ChatRequest) -> None:
    asked = {"stream": request.stream, "n": request.choices != 1, "logprobs": request.logprobs is not None}
    for name, is_asked in asked.items():
        if is_asked:
            raise InvalidInput(
                _("A batch item returns one complete answer without probabilities. Remove “%(name)s”.")
                % {"name": name},
                parameter=name,
            )


def _stored(parameters: RequestParameters, names: set[str]) -> dict[str, Any]:
    values = {name: value for name, value in asdict(parameters).items() if name in names}
    return values | ({"stop": list(values["stop"])} if values.get("stop") is not None else {})
