"""Reading bodies: what is not known is refused by name, so that a typing error never passes for a default."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from helpdesk.errors import InvalidInput

Input = TypeVar("Input", bound="StrictSerializer")


def refuse_unknown(given: Iterable[object], known: Collection[str]) -> None:
    """Raises InvalidInput that names the first parameter which is not known."""
    for name in given:
        if name not in known:
            raise InvalidInput(_("There is no parameter “%(name)s”.") % {"name": name}, parameter=str(name))


class StrictSerializer(serializers.Serializer[Any]):
    """A request's object without anything else in it."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = {str(name): [_("There is no such parameter.")] for name in data if name not in self.fields}
            if unknown:
                raise serializers.ValidationError(unknown)
        return super().to_internal_value(data)


class StrictIntegerField(serializers.IntegerField):
    """A whole number; neither a text nor true is one."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return super().to_internal_value(data)


def read_input(kind: type[Input], request: Request) -> dict[str, Any]:
    """The request's body as this kind of object. Raises ValidationError."""
    given = kind(data=request.data)
    given.is_valid(raise_exception=True)
    values: dict[str, Any] = given.validated_data
    return values
