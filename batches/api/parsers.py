"""Bodies of submissions, read by what their type says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from batches.lines import read_json, read_jsonl


class JsonSubmission(BaseParser):
    """One object with `items`. Raises InvalidInput."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        return read_json(stream.read())


class JsonLinesSubmission(BaseParser):
    """One item a line; the batch's name stands in the query."""

    media_type = "application/x-ndjson"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        request = (parser_context or {})["request"]
        return read_jsonl(stream.read(), name=request.query_params.get("name", ""))
