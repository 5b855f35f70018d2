"""How bodies become values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from helpdesk.api.json_body import BODY_BYTES, BodyTooLarge, read_json_body


class StrictJSONParser(BaseParser):
    """JSON in UTF-8, whatever else the type's parameters say, and no more of it than is read elsewhere."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(BODY_BYTES + 1)
        if len(body) > BODY_BYTES:
            raise BodyTooLarge(limit=BODY_BYTES)
        return read_json_body(body)
