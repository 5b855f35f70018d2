"""One piece of the measurement: what it is told, and where it writes what it finds."""

from __future__ import annotations

import json
import subprocess
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.gpu.levels import OWN_WORDS
from inference_worker.engine.vllm.runner import ModelRunner

ASK_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Job:
    """`kind` is product, bare or naive; `levels` are (streams, requests), `words` those of a prompt that are its own.

    `out` gets NAME.json and NAME.log.
    """

    name: str
    kind: str
    model: str
    tokenizer: str
    out: str
    runner: ModelRunner = "auto"
    levels: tuple[tuple[int, int], ...] = ()
    tokens: int = 96
    words: int = OWN_WORDS
    sequences: int = 256
    share: float = 0.85
    has_checks: bool = False
    seconds: int = 200

    def write(self) -> Path:
        """The file that the piece's process reads."""
        path = Path(self.out) / f"{self.name}.job"
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")
        return path

    @classmethod
    def read(cls, path: Path) -> Job:
        """What `write` wrote."""
        values = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**values, "levels": tuple(tuple(pair) for pair in values["levels"])})


class Report(dict[str, Any]):
    """Written after every change, so that a piece that is killed leaves what it had."""

    def __init__(self, job: Job) -> None:
        super().__init__(name=job.name)
        self._path = Path(job.out) / f"{job.name}.json"

    def put(self, **values: Any) -> None:
        """Add and write."""
        self.update(values)
        self._path.write_text(json.dumps(self, indent=1, default=str), encoding="utf-8")


def in_a_line(error: BaseException) -> str:
    """What went wrong and where."""
    lines = (str(error).strip() or type(error).__name__).splitlines()
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {lines[0][:240]}{where}"


def gpu_used_mib() -> int | None:
    """Memory in use on the first card; None without one."""
    command = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=ASK_SECONDS).stdout
        return int(listed.split()[0])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
