"""What the settings ask of the machine's GPU: how many answers it can write at once."""

from __future__ import annotations

import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, distribution

ASK_SECONDS = 5.0
CPU_SEQUENCES = 20
MOST_SEQUENCES = 256
SEQUENCES_PER_GIB = 4


def default_sequences(share: float) -> int:
    """Answers that the engine writes at once: by the memory of the first card, where vLLM's build for GPUs is installed."""
    if not _is_gpu_build() or shutil.which("nvidia-smi") is None:
        return CPU_SEQUENCES
    return sequences(card_mib(), share)


def sequences(mib: int | None, share: float) -> int:
    """Four for each GiB that the engine may take, at least as many as on a CPU: 81 on 24 GiB, 256 from 80 GiB on.

    An estimate, never measured: it is the memory for keys and values that is short, and the engine lets requests wait for it.
    """
    if mib is None:
        return CPU_SEQUENCES
    return min(MOST_SEQUENCES, max(CPU_SEQUENCES, int(mib / 1024 * share * SEQUENCES_PER_GIB)))


def card_mib() -> int | None:
    """Memory of the first card in MiB, as nvidia-smi tells; None where it does not."""
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=ASK_SECONDS).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    first = listed.strip().splitlines()[:1]
    return int(first[0]) if first and first[0].strip().isdigit() else None


def _is_gpu_build() -> bool:
    try:
        distribution("vllm")
    except PackageNotFoundError:
        return False
    return True
