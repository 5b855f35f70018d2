"""The messages of a chat request: instructions, what was said before, and the question.

Instructions may stand anywhere, as agent frameworks send them: those of all places together are the instructions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from django.utils.translation import gettext as _
from pydantic import BeforeValidator, model_validator

from chat_requests.errors import UnsupportedParameter
from chat_requests.neutral import AsksNothing
from conversations.models import Author
from conversations.validation import CONTROLS, clean_body
from helpdesk.api.vocabulary import Mistake, Refused, Vocabulary
from helpdesk.errors import InvalidInput

MAX_MESSAGES = 200
MAX_INSTRUCTION_CHARACTERS = 8000
MAX_CHARACTERS = 200_000
AUTHORS = {"user": Author.CUSTOMER, "assistant": Author.AI}
PARTS = {"text": "text", "refusal": "refusal"}


def _not_a_text(*at: str | int) -> Refused:
    return Refused.saying(_("A message's content must be a string."), *at)


def _text(content: object) -> str:
    """The content; parts of text become lines of one."""
    if isinstance(content, list):
        content = "\n".join(_part(part, index) for index, part in enumerate(content))
    if not isinstance(content, str):
        raise _not_a_text()
    if CONTROLS.search(content.replace("\r", "\n")):
        raise Refused.saying(_("The message contains control characters. Remove them and send it again."))
    return content


def _part(part: object, index: int) -> str:
    kind: Any = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict) or not isinstance(kind, str) or kind not in PARTS:
        raise Refused(UnsupportedParameter, index)
    text = part.get(PARTS[kind])
    if not isinstance(text, str):
        raise _not_a_text(index, PARTS[kind])
    return text


class ChatMessage(Vocabulary):
    """One message. What it has beside the named members must ask for nothing."""

    unknown: ClassVar[Mistake] = UnsupportedParameter
    may_be_null: ClassVar[bool] = True

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str | None, BeforeValidator(_text)] = None
    refusal: Annotated[str | None, BeforeValidator(_text)] = None
    name: Any = None
    tool_calls: Annotated[Any, AsksNothing([])] = None
    annotations: Annotated[Any, AsksNothing([])] = None
    # Known, so that a tool's message is refused by its role.
    tool_call_id: Annotated[Any, AsksNothing()] = None

    @model_validator(mode="after")
    def _has_content(self) -> Self:
        if self.content is None and self.role != "assistant":
            raise _not_a_text("content")
        return self

    @property
    def text(self) -> str:
        """What it says; an assistant that declined says its refusal."""
        return self.refusal or "" if self.content is None else self.content


def _few(messages: object) -> object:
    """Before any of them is looked at."""
    if not isinstance(messages, list) or not messages:
        raise Refused.saying(_("“messages” must be a list with at least one message."))
    if len(messages) > MAX_MESSAGES:
        raise Refused.saying(_("A request can have up to %(limit)d messages."), limit=MAX_MESSAGES)
    return messages


ChatMessages = Annotated[list[ChatMessage], BeforeValidator(_few)]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation."""

    author: Author
    body: str


@dataclass(frozen=True, slots=True)
class Said:
    """The instructions, joined, and the turns; the last one is the question."""

    instructions: str
    turns: tuple[Turn, ...]


def said_in(messages: Iterable[ChatMessage], *, grounded: bool) -> Said:
    """What the messages say, in their order. Raises InvalidInput or MessageTooLong."""
    instructions: list[str] = []
    turns: list[Turn] = []
    for message in messages:
        if message.role not in AUTHORS:
            instructions.append(message.text)
        elif message.text or message.role == "user":
            # An assistant's turn without a word, such as one that called a tool, says nothing.
            turns.append(Turn(AUTHORS[message.role], message.text))
    return Said(joined_instructions(instructions, parameter="messages"), _checked(turns, grounded=grounded))


def joined_instructions(texts: Iterable[str], *, parameter: str) -> str:
    """Instructions of all places as one text. Raises InvalidInput."""
    joined = "\n".join(filter(None, texts)).strip()
    if len(joined) > MAX_INSTRUCTION_CHARACTERS:
        raise InvalidInput(
            _("Instructions can have up to %(limit)d characters.") % {"limit": MAX_INSTRUCTION_CHARACTERS},
            parameter=parameter,
        )
    return joined


def _checked(turns: list[Turn], *, grounded: bool) -> tuple[Turn, ...]:
    if not turns or turns[-1].author is not Author.CUSTOMER:
        raise InvalidInput(
            _("The last message must be from the user: it's the one being answered."), parameter="messages"
        )
    if sum(len(turn.body) for turn in turns) > MAX_CHARACTERS:
        raise InvalidInput(
            _("The messages can have up to %(limit)d characters in total.") % {"limit": MAX_CHARACTERS},
            parameter="messages",
        )
    question = turns[-1].body
    if grounded:
        question = clean_body(question)
    elif not question.strip():
        raise InvalidInput(_("The message is empty. Write something and send it again."), parameter="messages")
    return (*turns[:-1], Turn(Author.CUSTOMER, question))
