"""What one request may ask of the engine beside the assistant's own settings. Stored with the reply; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, F, Func, JSONField, Value
from django.utils.translation import gettext_lazy as _

from helpdesk.errors import InvalidInput

MAX_STOPS = 4
MAX_STOP_CHARACTERS = 64
# Those that hold what the caller wrote: they stand in the reply's row only while it is open.
WRITTEN = ("instructions", "json_schema", "stop")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestParameters:
    """None means "as the assistant is set". Ranges follow OpenAI's chat completions.

    `grounded` False asks the model itself, without articles, gate or quotes; `use_cache` False always generates.
    `instructions` join the assistant's own. `json_schema` makes an ungrounded answer a JSON text of that schema.
    """

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] | None = None
    top_logprobs: int | None = None
    grounded: bool = True
    use_cache: bool = True
    instructions: str = ""
    json_schema: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        _check_range("temperature", self.temperature, 0.0, 2.0)
        _check_range("top_p", self.top_p, 0.01, 1.0)
        _check_range("max_tokens", self.max_tokens, 1, 32_768)
        _check_range("seed", self.seed, 0, 2**31 - 1)
        _check_range("top_logprobs", self.top_logprobs, 0, 20)
        stops = self.stop or ()
        if len(stops) > MAX_STOPS or any(not 0 < len(stop) <= MAX_STOP_CHARACTERS for stop in stops):
            raise InvalidInput(
                _("“stop” takes at most %(count)d texts of 1 to %(length)d characters.")
                % {"count": MAX_STOPS, "length": MAX_STOP_CHARACTERS},
                parameter="stop",
            )
        for name in ("stop", "instructions", "json_schema"):
            if not is_storable(getattr(self, name)):
                raise InvalidInput(
                    _("“%(name)s” contains control characters. Remove them and send it again.") % {"name": name},
                    parameter=name,
                )

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


def without_words() -> Func:
    """For an UPDATE of ended replies: their `parameters` without what the caller wrote. The sealed trace has it."""
    written = Value(list(WRITTEN), output_field=ArrayField(CharField()))
    return Func(F("parameters"), written, arg_joiner=" - ", template="(%(expressions)s)", output_field=JSONField())


def is_storable(value: Any) -> bool:
    """Whether PostgreSQL's JSON can hold it: it has neither NUL nor lone surrogates."""
    text = json.dumps(value, ensure_ascii=False)
    return "\\u0000" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _check_range(name: str, value: float | None, low: float, high: float) -> None:
    if value is None:
        return
    if not low <= value <= high:
        raise InvalidInput(
            _("“%(name)s” must lie between %(low)s and %(high)s.") % {"name": name, "low": low, "high": high},
            parameter=name,
        )
