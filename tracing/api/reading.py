"""What callers send to the endpoints of traces, checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from helpdesk.api.strict import refuse_unknown
from helpdesk.errors import InvalidInput
from tracing.forms import MAX_WITHOUT, FilterForm
from tracing.models import AnalysisKind, Trace
from tracing.queries import TraceFilter, models_seen
from tracing.reasons import ReasonMissing
from tracing.serving import MODEL, other_models, replay_parameters


def body_of(data: object, *, known: Collection[str]) -> Mapping[str, Any]:
    """The JSON object that was sent, with nothing in it that is not known. Raises InvalidInput."""
    if not isinstance(data, Mapping):
        raise InvalidInput(_("Send a JSON object."))
    refuse_unknown(data, known)
    return data


def reason_of(body: Mapping[str, Any]) -> str:
    """Why the content is wanted; raises ReasonMissing. Never part of an address, which is logged elsewhere."""
    reason = body.get("reason")
    if not isinstance(reason, str):
        raise ReasonMissing
    return reason


def wanted_traces(given: Mapping[str, Any]) -> TraceFilter:
    """The filter; unlike on the page, a value that makes no sense is refused. Runs inside `tenant_atomic`."""
    form = FilterForm(given, models=models_seen())
    for name in form.fields:
        if not isinstance(given.get(name, ""), str):
            raise InvalidInput(_("“%(name)s” must be a string.") % {"name": name}, parameter=name)
    if not form.is_valid():
        name, errors = next(iter(form.errors.items()))
        raise InvalidInput(f"{name}: {errors[0]}", parameter=name)
    return form.wanted()


def analysis_of(body: Mapping[str, Any], trace: Trace) -> tuple[AnalysisKind, dict[str, Any]]:
    """The kind and the job's parameters. Which passages there are only the record says: the worker checks them."""
    kind, without, is_free = body.get("kind", AnalysisKind.REPLAY), body.get("without", []), body.get("is_free", False)
    if not isinstance(kind, str) or kind not in AnalysisKind.values:
        shown = ", ".join(AnalysisKind.values)
        raise InvalidInput(_("“kind” must be one of: %(kinds)s.") % {"kinds": shown}, parameter="kind")
    if not isinstance(is_free, bool):
        raise InvalidInput(_("“is_free” must be true or false."), parameter="is_free")
    if not isinstance(without, list) or len(without) > MAX_WITHOUT:
        raise InvalidInput(
            _("“without” must be a list of up to %(count)d passages.") % {"count": MAX_WITHOUT}, parameter="without"
        )
    chunks = sorted({_chunk(chunk) for chunk in without})
    chosen = _chosen_model(body, trace)
    if kind != AnalysisKind.REPLAY:
        for name in ("without", "is_free", MODEL):
            if body.get(name):
                raise InvalidInput(_("“%(name)s” only applies to replays. Remove it.") % {"name": name}, parameter=name)
        return AnalysisKind(kind), {}
    return AnalysisKind(kind), replay_parameters(without=chunks, is_free=is_free, model=chosen)


def _chosen_model(body: Mapping[str, Any], trace: Trace) -> str:
    """The other model to replay with; empty for the one that wrote the answer."""
    chosen = body.get(MODEL)
    if chosen is None:
        return ""
    others = other_models(trace)
    if not others:
        raise InvalidInput(
            _("No worker is serving any model other than the one that wrote the answer."), parameter=MODEL
        )
    if not isinstance(chosen, str) or chosen not in others:
        raise InvalidInput(
            _("“model” must be a different model that a worker is serving: %(models)s.")
            % {"models": ", ".join(others)},
            parameter=MODEL,
        )
    return chosen


def _chunk(given: object) -> str:
    try:
        return str(UUID(given if isinstance(given, str) else ""))
    except ValueError:
        raise InvalidInput(_("There is no such passage."), parameter="without") from None
