"""Work of the account pages that no request waits for."""

from __future__ import annotations

from celery import shared_task

from helpdesk.users.lockout import NOTE_STOP, note_stop


@shared_task(name=NOTE_STOP)
def note_stopped_sign_in(user_id: int) -> None:
    """Have it in the companies' logs that attempts to sign in were stopped; for no account nothing happens."""
    note_stop(user_id)
