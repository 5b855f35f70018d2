"""The messages of a chat completion request: instructions, what was said before, and the question.

Instructions may stand anywhere, as agent frameworks send them: those of all places together are the instructions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from chat_requests.errors import UnsupportedParameter
from conversations.models import Author
from conversations.validation import CONTROLS, clean_body
from helpdesk.errors import InvalidInput

MAX_MESSAGES = 200
MAX_INSTRUCTION_CHARACTERS = 8000
MAX_CHARACTERS = 200_000
AUTHORS = {"user": Author.CUSTOMER, "assistant": Author.AI}
INSTRUCTING = {"system", "developer"}
READ = {"role", "content", "refusal", "name"}
# What a message may have beside them, with the values that ask for nothing; null does everywhere.
NEUTRAL: Mapping[str, object] = {"tool_calls": [], "annotations": []}
PARTS = {"text": "text", "refusal": "refusal"}


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation."""

    author: Author
    body: str


@dataclass(frozen=True, slots=True)
class Messages:
    """The instructions, joined, and the turns; the last one is the question."""

    instructions: str
    turns: tuple[Turn, ...]


def read_messages(value: object, *, grounded: bool) -> Messages:
    """The messages in their order. Raises InvalidInput, whose details name the place."""
    if not isinstance(value, list) or not value:
        raise InvalidInput(_("“messages” must be a list with at least one message."), parameter="messages")
    if len(value) > MAX_MESSAGES:
        raise InvalidInput(
            _("A request takes at most %(limit)d messages.") % {"limit": MAX_MESSAGES}, parameter="messages"
        )
    instructions: list[str] = []
    turns: list[Turn] = []
    for index, message in enumerate(value):
        place = f"messages[{index}]"
        role, body = _read_message(message, place)
        if role in INSTRUCTING:
            instructions.append(body)
        elif body or role == "user":
            # An assistant's turn without a word, such as one that called a tool, says nothing.
            turns.append(Turn(AUTHORS[role], body))
    return Messages(_joined(instructions), _checked(turns, grounded=grounded))


def _read_message(message: object, place: str) -> tuple[str, str]:
    if not isinstance(message, dict):
        raise InvalidInput(_("A message is an object with role and content."), parameter=place)
    role = message.get("role")
    if not isinstance(role, str) or role not in AUTHORS | dict.fromkeys(INSTRUCTING):
        raise InvalidInput(
            _("A message's role is “system”, “developer”, “user” or “assistant”."), parameter=f"{place}.role"
        )
    for name, given in message.items():
        if name in READ or given is None or (name in NEUTRAL and given == NEUTRAL[name]):
            continue
        raise UnsupportedParameter(f"{place}.{name}"[:100])
    content = message.get("content")
    if content is None and role == "assistant":
        content = message.get("refusal") or ""
    return role, _text(content, f"{place}.content")


def _text(content: object, place: str) -> str:
    """The content; parts of text become lines of one."""
    if isinstance(content, list):
        content = "\n".join(_part(part, f"{place}[{index}]") for index, part in enumerate(content))
    if not isinstance(content, str):
        raise InvalidInput(_("A message's content is a text."), parameter=place)
    if CONTROLS.search(content.replace("\r", "\n")):
        raise InvalidInput(
            _("The message contains control characters. Remove them and send it again."), parameter=place
        )
    return content


def _part(part: object, place: str) -> str:
    kind: Any = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict) or not isinstance(kind, str) or kind not in PARTS:
        raise UnsupportedParameter(place)
    text = part.get(PARTS[kind])
    if not isinstance(text, str):
        raise InvalidInput(_("A message's content is a text."), parameter=f"{place}.{PARTS[kind]}")
    return text


def _joined(instructions: list[str]) -> str:
    joined = "\n".join(filter(None, instructions)).strip()
    if len(joined) > MAX_INSTRUCTION_CHARACTERS:
        raise InvalidInput(
            _("Instructions take at most %(limit)d characters.") % {"limit": MAX_INSTRUCTION_CHARACTERS},
            parameter="messages",
        )
    return joined


def _checked(turns: list[Turn], *, grounded: bool) -> tuple[Turn, ...]:
    if not turns or turns[-1].author is not Author.CUSTOMER:
        raise InvalidInput(_("The last message must be the user's: it is the one to answer."), parameter="messages")
    if sum(len(turn.body) for turn in turns) > MAX_CHARACTERS:
        raise InvalidInput(
            _("The messages take at most %(limit)d characters together.") % {"limit": MAX_CHARACTERS},
            parameter="messages",
        )
    question = turns[-1].body
    if grounded:
        question = clean_body(question)
    elif not question.strip():
        raise InvalidInput(_("The message is empty. Write something and send it again."), parameter="messages")
    return (*turns[:-1], Turn(Author.CUSTOMER, question))
