"""JSON schemas of our models, as the description of the API has them."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

SUFFIX = "Shape"


class Described(GenerateJsonSchema):
    """JSON schemas without titles that only repeat names, and with the names that components have."""

    def normalize_name(self, name: str) -> str:
        return super().normalize_name(name).removesuffix(SUFFIX)

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: Any) -> dict[str, Any]:
        # A member with a default is left out where it was not given.
        return self.generate_inner(schema["schema"])
