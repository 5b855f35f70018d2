"""The form of the answer that a request asks for, as a JSON schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from chat_requests.json_schemas import check_schema
from helpdesk.errors import InvalidInput

PARAMETER = "response_format"
ANY_OBJECT: dict[str, Any] = {"type": "object", "additionalProperties": True}


def read_response_format(value: object, *, grounded: bool) -> dict[str, Any] | None:
    """The schema to hold the answer to; None for ordinary text. Raises InvalidInput."""
    if value is None:
        return None
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(value, dict) or kind not in ("text", "json_object", "json_schema"):
        raise InvalidInput(
            _("“response_format” must have the type “text”, “json_object” or “json_schema”."), parameter=PARAMETER
        )
    if kind == "text":
        return None
    if grounded:
        raise InvalidInput(
            _("Answers from articles are text. To get JSON, ask the model alone: “glassdesk”: {“grounded”: false}."),
            parameter=PARAMETER,
        )
    return ANY_OBJECT if kind == "json_object" else _schema(value)


def _schema(value: Mapping[str, Any]) -> dict[str, Any]:
    wrapper = value.get("json_schema")
    schema = wrapper.get("schema") if isinstance(wrapper, dict) else None
    if not isinstance(schema, dict):
        raise InvalidInput(_("“response_format.json_schema.schema” must be an object."), parameter=PARAMETER)
    check_schema(schema)
    return schema
