"""The register of workers in people's words and units."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from helpdesk.queue.workers import LoadStep, WorkerState, WorkerStatus

BAR_WIDTH = 1000
STATE_COLOURS = {
    WorkerState.WARM: "good",
    WorkerState.LOADING: "brand",
    WorkerState.RESTARTING: "fair",
    WorkerState.DRAINING: "fair",
    WorkerState.STALLED: "weak",
    WorkerState.FAILED: "weak",
    WorkerState.SILENT: "weak",
}


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of loading; `width` of 1000, `seconds` empty while it lasts."""

    name: str
    seconds: str
    width: int


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """One worker as the page shows it; a fact is a name and a value."""

    status: WorkerStatus
    title: str
    state: str
    colour: str
    facts: list[tuple[str, str]]
    steps: list[StepRow]
    load_seconds: str


def worker_row(worker: WorkerStatus) -> WorkerRow:
    """Everything that is known of the worker; what is not known is left out."""
    finished = [step.seconds for step in worker.load_log if step.seconds is not None]
    return WorkerRow(
        status=worker,
        title=worker.model or "?",
        state=state_words(worker.state),
        colour=STATE_COLOURS[worker.state],
        facts=[(name, value) for name, value in _facts(worker) if value],
        steps=[_step_row(step, longest=max(finished, default=0.0)) for step in worker.load_log],
        load_seconds=seconds_words(sum(finished)) if finished else "",
    )


def state_words(state: WorkerState) -> str:
    """The state as people read it."""
    return {
        WorkerState.LOADING: _("Loading"),
        WorkerState.WARM: _("Ready"),
        WorkerState.STALLED: _("Not responding"),
        WorkerState.RESTARTING: _("Restarting engine"),
        WorkerState.DRAINING: _("Finishing replies"),
        WorkerState.FAILED: _("Failed to load"),
        WorkerState.SILENT: _("Not seen"),
    }[state]


def step_words(name: str) -> str:
    """A step of loading as people read it; an unknown one is shown as it is."""
    return {
        "embedder": _("Embedding model"),
        "reranker": _("Reranker"),
        "libraries": _("Libraries imported"),
        "engine": _("Engine starting"),
        "engine_processes": _("Engine processes started"),
        "weights": _("Weights loaded"),
        "kv_cache": _("Cache allocated"),
        "warm_up": _("First tokens"),
    }.get(name, name)


def parameters_words(count: int) -> str:
    """Such as 134.5 million or 7.6 billion."""
    if count >= 1_000_000_000:
        return _("%(count)s billion") % {"count": number_format(count / 1e9, 1)}
    return _("%(count)s million") % {"count": number_format(count / 1e6, 1)} if count else ""


def seconds_words(seconds: float) -> str:
    """Seconds with one decimal."""
    return _("%(count)s s") % {"count": number_format(seconds, 1)}


def age_words(since: float) -> str:
    """How long ago, in one unit."""
    seconds = max(0, int(time.time() - since))
    if seconds < 120:
        return _("%(count)d s") % {"count": seconds}
    if seconds < 7200:
        return _("%(count)d min") % {"count": seconds // 60}
    return _("%(count)d h") % {"count": seconds // 3600}


def _facts(worker: WorkerStatus) -> list[tuple[str, str]]:
    return [
        (_("Precision"), worker.precision),
        (_("Quantization"), worker.quantization if worker.quantization != worker.precision else ""),
        (_("Parameters"), parameters_words(worker.parameters)),
        (_("Weights on disk"), _size(worker.weights_bytes)),
        (_("Memory in use"), _size(worker.memory_bytes)),
        (_("GPU memory in use"), _size(worker.gpu_memory_bytes or 0)),
        (_("Key-value cache"), _cache_words(worker)),
        (_("Context window"), number_format(worker.max_model_len) if worker.max_model_len else ""),
        (_("Concurrent answers"), number_format(worker.max_sequences) if worker.max_sequences else ""),
        (_("Device"), worker.device),
        (_("Processor time"), _processor_words(worker)),
        (_("Articles being indexed"), number_format(worker.indexing) if worker.indexing else ""),
        (_("Engine"), f"{worker.engine} {worker.engine_version}".strip()),
        (_("Revision"), worker.revision),
        (_("Embedding model"), worker.embedder),
        (_("Reranker"), worker.reranker),
        (_("Queue"), worker.queue),
        (_("Worker"), worker.name),
        (_("Libraries"), ", ".join(f"{name} {version}" for name, version in worker.libraries.items())),
    ]


def _size(count: int) -> str:
    return filesizeformat(count) if count else ""


def _cache_words(worker: WorkerStatus) -> str:
    if not worker.kv_cache_bytes:
        return ""
    share = number_format(worker.kv_cache_share * 100, 0)
    return _("%(size)s, %(share)s%% in use") % {"size": _size(worker.kv_cache_bytes), "share": share}


def _processor_words(worker: WorkerStatus) -> str:
    if worker.processor_share is None:
        return ""
    share = number_format(worker.processor_share * 100, 0)
    if worker.is_starved:
        return _("gets %(share)s%% of the CPU time it needs: the machine is busy") % {"share": share}
    return _("gets %(share)s%% of the CPU time it needs") % {"share": share}


def _step_row(step: LoadStep, *, longest: float) -> StepRow:
    if step.seconds is None:
        return StepRow(step_words(step.name), "", 0)
    width = round(BAR_WIDTH * step.seconds / longest) if longest else 0
    return StepRow(step_words(step.name), seconds_words(step.seconds), max(width, 4))
