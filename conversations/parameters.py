"""What one request may ask of the engine beside the assistant's own settings. Stored with the reply; pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from typing import Annotated, Any, get_type_hints

from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, F, Func, JSONField, Value
from django.utils.translation import gettext as _
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, WithJsonSchema

from helpdesk.api.described import Described
from helpdesk.api.vocabulary import (
    NAME_CHARACTERS,
    Between,
    Check,
    Flag,
    Number,
    Refused,
    Whole,
    no_such_parameter,
    refusal,
)

MAX_STOPS = 4
MAX_STOP_CHARACTERS = 64
# Those that hold what the caller wrote: they stand in the reply's row only while it is open.
WRITTEN = ("instructions", "json_schema", "stop")


@dataclass(frozen=True)
class Stops(Check):
    """So many texts of so many characters."""

    count: int
    length: int

    def look(self, value: Any) -> None:
        if len(value) > self.count or any(not 0 < len(stop) <= self.length for stop in value):
            raise Refused.saying(
                _("“stop” takes up to %(count)d strings of 1 to %(length)d characters."),
                count=self.count,
                length=self.length,
            )


class Storable(Check):
    """What PostgreSQL's JSON can hold."""

    def look(self, value: Any) -> None:
        if not is_storable(value):
            raise Refused.saying(_("“%(name)s” contains control characters. Remove them and send it again."))


def _texts(value: object) -> tuple[str, ...]:
    """One text may stand for a list of one, as in OpenAI's requests."""
    stops = [value] if isinstance(value, str) else value
    if not isinstance(stops, list | tuple) or not all(isinstance(stop, str) for stop in stops):
        raise Refused.saying(_("“stop” must be a string or a list of strings."))
    return tuple(stops)


_TEXT = {"type": "string", "minLength": 1, "maxLength": MAX_STOP_CHARACTERS}
Texts = Annotated[
    tuple[str, ...],
    BeforeValidator(_texts),
    WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "maxItems": MAX_STOPS, "items": _TEXT}]}),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestParameters:
    """None means "as the assistant is set". Ranges follow OpenAI's chat completions.

    `grounded` False asks the model itself, without articles, gate or quotes; `use_cache` False always generates.
    `instructions` join the assistant's own. `json_schema` makes an ungrounded answer a JSON text of that schema.
    """

    temperature: Annotated[Number | None, Between(0.0, 2.0)] = None
    top_p: Annotated[Number | None, Between(0.01, 1.0)] = None
    max_tokens: Annotated[Whole | None, Between(1, 32_768)] = None
    seed: Annotated[Whole | None, Between(0, 2**31 - 1)] = None
    stop: Annotated[Texts | None, Stops(MAX_STOPS, MAX_STOP_CHARACTERS), Storable()] = None
    top_logprobs: Annotated[Whole | None, Between(0, 20)] = None
    grounded: Annotated[Flag, Field(description="False asks the model alone, without articles.")] = True
    use_cache: Annotated[Flag, Field(description="False always writes a new answer.")] = True
    instructions: Annotated[str, Storable()] = ""
    json_schema: Annotated[dict[str, Any] | None, Storable()] = None

    def __post_init__(self) -> None:
        for name, checks in _checks().items():
            value = getattr(self, name)
            for check in checks:
                try:
                    if value is not None:
                        check.look(value)
                except Refused as refused:
                    raise refused.mistake(name) from None

    @classmethod
    def read(cls, given: Mapping[str, Any], *, known: Collection[str]) -> RequestParameters:
        """What a caller sent; null is the same as leaving out. Raises InvalidInput, whose `parameter` names the member."""
        for name in given:
            if name not in known:
                raise no_such_parameter(name[:NAME_CHARACTERS])
        try:
            return _reader().validate_python({name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            raise refusal(error) from None

    def to_json(self) -> dict[str, Any]:
        """Only what differs from the defaults, so that an ordinary reply stores an empty object."""
        defaults = {each.name: each.default for each in fields(self)}
        return {name: value for name, value in asdict(self).items() if value != defaults[name]}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> RequestParameters:
        """What `to_json` stored."""
        values = dict(stored)
        if values.get("stop") is not None:
            values["stop"] = tuple(values["stop"])
        return cls(**values)


def described_parameters(names: Collection[str]) -> dict[str, Any]:
    """Those of these names as a JSON schema."""
    members = _reader().json_schema(schema_generator=Described)["properties"]
    return {
        "type": "object",
        "properties": {name: members[name] for name in names},
        "additionalProperties": False,
    }


def without_words() -> Func:
    """For an UPDATE of ended replies: their `parameters` without what the caller wrote. The sealed trace has it."""
    written = Value(list(WRITTEN), output_field=ArrayField(CharField()))
    return Func(F("parameters"), written, arg_joiner=" - ", template="(%(expressions)s)", output_field=JSONField())


def is_storable(value: Any) -> bool:
    """Whether PostgreSQL's JSON can hold it: it has neither NUL nor lone surrogates."""
    text = json.dumps(value, ensure_ascii=False)
    return "\\u0000" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


@cache
def _checks() -> dict[str, list[Check]]:
    """The checks that stand in the types of the fields."""
    hints = get_type_hints(RequestParameters, include_extras=True)
    return {
        name: [each for each in getattr(hint, "__metadata__", ()) if isinstance(each, Check)]
        for name, hint in hints.items()
    }


@cache
def _reader() -> TypeAdapter[RequestParameters]:
    return TypeAdapter(RequestParameters)
