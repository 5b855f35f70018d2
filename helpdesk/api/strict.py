"""Reading bodies: what is not known is refused by name, so that a typing error never passes for a default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

Input = TypeVar("Input", bound="StrictSerializer")


class StrictSerializer(serializers.Serializer[Any]):
    """A request's object without anything else in it."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = {str(name): [_("There is no such parameter.")] for name in data if name not in self.fields}
            if unknown:
                raise serializers.ValidationError(unknown)
        return super().to_internal_value(data)


def read_input(kind: type[Input], request: Request) -> dict[str, Any]:
    """The request's body as this kind of object. Raises ValidationError."""
    given = kind(data=request.data)
    given.is_valid(raise_exception=True)
    values: dict[str, Any] = given.validated_data
    return values
