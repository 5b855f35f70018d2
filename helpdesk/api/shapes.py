"""What answers look like: each shape is written once, and both the JSON and its description in OpenAPI come from it.

A member that has no default is in every answer. One that has a default is left out where it was not given.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from django.db.models import TextChoices
from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, PlainSerializer, WithJsonSchema, create_model
from pydantic_core import CoreSchema

from helpdesk.api.described import SUFFIX


class Shape(BaseModel):
    """An object of an answer. A subclass `XyzShape` is the component `Xyz` of the description, with its docstring."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def as_json(self) -> dict[str, Any]:
        """The object as it is served."""
        # Without warnings: what is read from stored JSON is passed on unchecked (see `stored`).
        return self.model_dump(mode="json", exclude_unset=True, warnings=False)

    @classmethod
    def stored(cls, values: dict[str, Any]) -> Any:
        """The shape of JSON that was stored earlier, unchecked: an old row may lack a member and is shown all the same."""
        return cls.model_construct(**{name: value for name, value in values.items() if name in cls.model_fields})


class OneOf:
    """A text that is one of these choices, for the description."""

    def __init__(self, choices: type[TextChoices], *, or_empty: bool = False) -> None:
        self.choices, self.or_empty = choices, or_empty

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        from drf_spectacular.plumbing import list_hash

        # By the identity, drf-spectacular finds the component that all members with these choices share.
        identity = list_hash([(value, label) for value, label in self.choices.choices if value])
        return {"type": "string", "enum": [*self.choices.values, *([""] * self.or_empty)], "x-spec-enum-id": identity}


Moment = Annotated[
    datetime,
    PlainSerializer(lambda moment: moment.astimezone(UTC).isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
# The same two where they stand as texts in stored JSON.
StoredMoment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
StoredId = Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})]


def page_of(shape: type[Shape]) -> type[Shape]:
    """The body of a list of these."""
    members: dict[str, Any] = {"data": (list[shape], ...), "next": (str | None, ...)}  # type: ignore[valid-type]
    name = shape.__name__.removesuffix(SUFFIX)
    return create_model(f"{name}Page{SUFFIX}", __base__=Shape, __doc__="One page of a list.", **members)
