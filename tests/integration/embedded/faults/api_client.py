"""Other software that asks the desk: a batch job, and streams of /v1/chat/completions read to their ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

LONGEST_REQUEST_SECONDS = 90.0
SHAPE = {"message", "type", "param", "code"}


@dataclass
class Stream:
    """What came of one request: its text so far, and how it ended."""

    text: str = ""
    error: dict[str, Any] = field(default_factory=dict)
    is_complete: bool = False

    @property
    def has_ended_well(self) -> bool:
        """Completed, or ended in an error as OpenAI's clients read it; never both, and never cut off."""
        return self.is_complete != (self.error.keys() >= SHAPE and bool(self.error["code"]))


class OutsideClient:
    """An API client with a key that may do everything."""

    def __init__(self, base_url: str, key: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=base_url, headers={"Authorization": f"Bearer {key}"}, timeout=LONGEST_REQUEST_SECONDS
        )

    async def close(self) -> None:
        """Leave."""
        await self._client.aclose()

    async def submit(self, questions: Sequence[str]) -> str:
        """The id of a new batch, whose items are never answered from the cache."""
        items = [{"custom_id": str(number), "question": question} for number, question in enumerate(questions)]
        batch = {"name": "faults", "defaults": {"use_cache": False}, "items": items}
        response = await self._client.post("/api/v1/batches", json=batch)
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    async def results(self, batch_id: str) -> list[dict[str, Any]]:
        """All results of a batch."""
        response = await self._client.get(f"/api/v1/batches/{batch_id}/results.jsonl")
        assert response.status_code == 200, response.text
        return [json.loads(line) for line in response.text.splitlines()]

    async def stream(self, question: str, stream: Stream) -> None:
        """Ask, and note in `stream` what comes."""
        body = {
            "model": "default",
            "stream": True,
            "messages": [{"role": "user", "content": question}],
            "glassdesk": {"use_cache": False},
        }
        async with asyncio.timeout(LONGEST_REQUEST_SECONDS):
            async with self._client.stream("POST", "/v1/chat/completions", json=body) as response:
                if response.status_code != 200:
                    stream.error = json.loads(await response.aread())["error"]
                    return
                async for line in response.aiter_lines():
                    if line == "data: [DONE]":
                        stream.is_complete = True
                    elif line.startswith("data: "):
                        _note(json.loads(line.removeprefix("data: ")), stream)


def _note(event: dict[str, Any], stream: Stream) -> None:
    if "error" in event:
        stream.error = event["error"]
    for choice in event.get("choices", []):
        stream.text += choice["delta"].get("content") or ""
