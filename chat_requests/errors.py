"""What may be wrong with a chat request beyond a value out of its range. Each door renders them in its own body."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from helpdesk.errors import InvalidInput


class UnsupportedParameter(InvalidInput):
    """A parameter of OpenAI's, or one of its values, that the desk does not have."""

    code = "unsupported_parameter"

    def __init__(self, name: str) -> None:
        super().__init__(
            _("“%(name)s” doesn't support this value. Remove it; see docs/openai.md for what is supported.")
            % {"name": name},
            parameter=name,
        )


class UnknownParameter(InvalidInput):
    """A parameter that neither OpenAI nor the desk has."""

    code = "unknown_parameter"

    def __init__(self, name: str) -> None:
        super().__init__(
            _("There is no parameter “%(name)s”. Check the spelling or remove it.") % {"name": name}, parameter=name
        )


class InvalidJsonSchema(InvalidInput):
    """No answer can be held to the schema."""

    code = "invalid_json_schema"
    message = _("The model can't follow this JSON schema. Use simpler types and keywords.")

    def __init__(self, message: object | None = None) -> None:
        super().__init__(message, parameter="response_format")
