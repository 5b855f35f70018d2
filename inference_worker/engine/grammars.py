"""Whether the engine can make a grammar of a JSON schema, found out in a process of its own before the engine sees it.

The engine's compiler runs beside everybody's answers and cannot be interrupted. A schema that keeps it busy, or ends its
process, would be every company's trouble; here it is that of one small process with limits of processor time and memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

import structlog

from inference_worker.engine.contract import RequestRefused

logger = structlog.get_logger(__name__)

PROGRAM = Path(__file__).with_name("grammar_trial.py")
# Far above its limit of processor time: a busy machine is no reason to refuse a schema.
PATIENCE_SECONDS = 120.0
REMEMBERED = 256
_one_at_a_time = threading.Lock()


def require_grammar(schema: dict[str, Any]) -> None:
    """Raises RequestRefused for a schema that no answer can be held to. Takes a tenth of a second, and none the next time."""
    if trouble := _trouble_with(json.dumps(schema)):
        raise RequestRefused(f"The engine has no grammar for the schema: {trouble}")


@lru_cache(maxsize=REMEMBERED)
def _trouble_with(schema: str) -> str:
    command = [sys.executable, "-P", str(PROGRAM)]
    with _one_at_a_time:
        try:
            ended = subprocess.run(
                command, input=schema, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return "it takes too long"
    if ended.returncode == 0:
        return ""
    logger.info("json_schema_refused", exit_status=ended.returncode)
    return ended.stdout.strip() or "it is too large"
