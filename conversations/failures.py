"""Why a reply ends without an answer: the codes, and what each kind of reader reads.

The codes are stored with replies and items of batches, and stand in docs/api.md. Whoever writes one passes a member; whoever
reads one may find a code of another release, which reads like a fault.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class FailureCode(TextChoices):
    """What ended a reply."""

    STOPPED = "stopped"
    SUPERSEDED = "superseded"
    DELETED = "deleted"
    DEADLINE = "deadline"
    CONTEXT_LENGTH = "context_length"
    REFUSED_REQUEST = "refused_request"
    MODEL_UNAVAILABLE = "model_unavailable"
    ENGINE = "engine"
    WORKER_LOST = "worker_lost"
    SEALING = "sealing"


_DELETED = _("The conversation and its answer were deleted.")
_TOO_LONG = _("The question and its context are longer than the model can read.")
_NOT_IN_THAT_FORM = _("The model can't answer in the requested format.")
_CUSTOMERS_FAULT = _("Something went wrong while writing the answer. Ask again, or talk to a person.")
_DESKS_FAULT = _("The AI couldn't answer because of a technical problem.")
_CLIENTS_FAULT = _("Something went wrong while writing the answer. Ask again.")

_FOR_CUSTOMERS: Mapping[str, Promise] = {
    FailureCode.STOPPED: _("Stopped."),
    FailureCode.SUPERSEDED: _("A person has taken over."),
    FailureCode.DELETED: _DELETED,
    FailureCode.DEADLINE: _("The answer took too long. Ask again, or talk to a person."),
    FailureCode.CONTEXT_LENGTH: _CUSTOMERS_FAULT,
    FailureCode.REFUSED_REQUEST: _CUSTOMERS_FAULT,
    FailureCode.MODEL_UNAVAILABLE: _("The assistant isn't available right now. Talk to a person, or try again later."),
    FailureCode.ENGINE: _CUSTOMERS_FAULT,
    FailureCode.WORKER_LOST: _CUSTOMERS_FAULT,
    FailureCode.SEALING: _CUSTOMERS_FAULT,
}

_FOR_THE_DESK: Mapping[str, Promise] = {
    FailureCode.STOPPED: _("The AI was stopped before it wrote anything."),
    FailureCode.SUPERSEDED: _("The AI stopped: a person took over."),
    FailureCode.DELETED: _DELETED,
    FailureCode.DEADLINE: _("The AI didn't answer in time."),
    FailureCode.CONTEXT_LENGTH: _TOO_LONG,
    FailureCode.REFUSED_REQUEST: _NOT_IN_THAT_FORM,
    FailureCode.MODEL_UNAVAILABLE: _("No worker is serving the model this assistant uses."),
    FailureCode.ENGINE: _DESKS_FAULT,
    FailureCode.WORKER_LOST: _("The AI was interrupted twice and stopped trying."),
    FailureCode.SEALING: _DESKS_FAULT,
}

_FOR_API_CLIENTS: Mapping[str, Promise] = {
    FailureCode.STOPPED: _("Stopped."),
    FailureCode.SUPERSEDED: _("A person has taken over."),
    FailureCode.DELETED: _DELETED,
    FailureCode.DEADLINE: _("The answer took too long. Ask again, or ask for a shorter one."),
    FailureCode.CONTEXT_LENGTH: _TOO_LONG,
    FailureCode.REFUSED_REQUEST: _NOT_IN_THAT_FORM,
    FailureCode.MODEL_UNAVAILABLE: _("No worker is serving the model this assistant uses."),
    FailureCode.ENGINE: _CLIENTS_FAULT,
    FailureCode.WORKER_LOST: _CLIENTS_FAULT,
    FailureCode.SEALING: _CLIENTS_FAULT,
}


def sentence_for_customer(code: str) -> str:
    """What the customer reads in place of an answer."""
    return str(_FOR_CUSTOMERS.get(code, _CUSTOMERS_FAULT))


def sentence_for_desk(code: str) -> str:
    """What the tenant's people read beside the question."""
    return str(_FOR_THE_DESK.get(code, _DESKS_FAULT))


def sentence_for_api_client(code: str) -> str:
    """What other software gets with the code."""
    return str(_FOR_API_CLIENTS.get(code, _CLIENTS_FAULT))
