"""A program of its own: make a grammar of the JSON schema on the standard input, within limits, and say whether it works.

It is started by inference_worker.engine.grammars. Some short schemas make the compiler run for minutes or end its process; here
that ends this one. Exit status 0: the schema can be used; 1: it cannot, and why is the standard output.
"""

from __future__ import annotations

import os
import resource
import sys
from typing import Any

PROCESSOR_SECONDS = 3
MEMORY_BYTES = 1 << 30
STEPS = 16


def trouble_with(schema: str) -> str:
    """What is wrong with the schema; empty when a text can be begun by its grammar."""
    try:
        import llguidance
    except ImportError:
        # No engine here makes grammars.
        return ""
    compiler: Any = llguidance.LLMatcher
    try:
        grammar = compiler.grammar_from_json_schema(schema, defaults={"whitespace_flexible": False})
    except (ValueError, TypeError) as error:
        return str(error)
    # Of single bytes instead of a model's tokens: what is endless is so in any vocabulary.
    matcher = compiler(llguidance.LLTokenizer("byte"), grammar, log_level=0)
    for _ in range(STEPS):
        if matcher.is_error() or matcher.is_stopped():
            break
        matcher.consume_token(_first(matcher.compute_bitmask()))
    return str(matcher.get_error() or "")


def _first(permitted: bytes) -> int:
    """The first token of a mask."""
    place, byte = next((place, byte) for place, byte in enumerate(permitted) if byte)
    return 8 * place + (byte & -byte).bit_length() - 1


def main() -> int:
    """The exit status."""
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    trouble = trouble_with(sys.stdin.read())
    sys.stdout.write(trouble[:300])
    return 1 if trouble else 0


if __name__ == "__main__":
    sys.exit(main())
