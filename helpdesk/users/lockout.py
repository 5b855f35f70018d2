"""What a company hears of guessing: attempts that were stopped, and an account that was unlocked, in the company's log."""

from __future__ import annotations

import structlog
from django.http import HttpRequest
from kombu.exceptions import OperationalError

from helpdesk.errors import InvalidInput
from helpdesk.queue.celery import DEFAULT_QUEUE, app
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users import attempts
from helpdesk.users.models import Membership, User
from helpdesk.users.noting import PeopleChange, notes
from helpdesk.users.queries import account_of, tenants_of

NOTE_STOP = "users.note_stopped_sign_in"
NOBODY = 0

logger = structlog.get_logger(__name__)


def report_stop(email: str) -> None:
    """Have it noted, once an hour for an address. Whether there is such an account makes no difference here, not even in
    time: the note is written elsewhere, or not."""
    if not attempts.is_first_stop(email):
        return
    account = account_of(email)
    user_id = account.pk if account else NOBODY
    try:
        app.send_task(NOTE_STOP, kwargs={"user_id": user_id}, queue=DEFAULT_QUEUE, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("stop_not_noted", error=type(error).__name__)


def note_stop(user_id: int) -> None:
    """Write into the log of each of the person's companies that attempts to sign in were stopped."""
    person = User.objects.filter(pk=user_id).first()
    if person is not None:
        logger.warning("sign_in_stopped", user_id=person.pk)
        _note(person, PeopleChange.SIGN_IN_STOPPED)


def unlock(person: User) -> None:
    """Forget the wrong passwords and codes of an account, from wherever they came; noted in each of its companies.

    Raises InvalidInput while nothing is counted.
    """
    if not attempts.is_counting():
        raise InvalidInput("Redis does not answer, so nothing is locked and nobody can sign in.")
    attempts.begin_anew(HttpRequest(), person.email, person.pk)
    logger.info("sign_in_unlocked", user_id=person.pk)
    _note(person, PeopleChange.SIGN_IN_UNLOCKED)


def _note(person: User, change: PeopleChange) -> None:
    for tenant, _role in tenants_of(person):
        with tenant_atomic(tenant.id):
            membership = Membership.objects.get(user=person)
            notes().changed(change, subject=membership.id, user=None, person=person.pk)
