"""What may be wrong with a submission."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from helpdesk.errors import InvalidInput, TooManyRequests

MAX_ERRORS = 100
BACKLOG_RETRY_SECONDS = 300


@dataclass(frozen=True, slots=True)
class LineError:
    """What is wrong in one line and what to do; `parameter` names the member, when it is one."""

    line: int
    parameter: str
    message: str


class BatchInvalid(InvalidInput):
    """Some lines cannot be used; nothing was stored. `details` list them, at most the first 100: there the reading stops.

    `stopped_at` is the number of the line behind which nothing was read any more; None when all were.
    """

    code = "batch_invalid"
    status = 400

    def __init__(self, errors: Sequence[LineError], *, stopped_at: int | None = None) -> None:
        super().__init__(
            _wrong(len(errors)) if stopped_at is None else _wrong_already(len(errors), stopped_at),
            errors=[asdict(error) for error in errors],
            error_count=len(errors),
            stopped_at=stopped_at,
        )
        self.line_errors = list(errors)


def _wrong(count: int) -> object:
    return ngettext_lazy(
        "%(count)d line is invalid, so nothing was saved. Fix it and send the batch again.",
        "%(count)d lines are invalid, so nothing was saved. Fix them and send the batch again.",
        "count",
    ) % {"count": count}


def _wrong_already(count: int, line: int) -> object:
    return _(
        "%(count)d lines up to line %(line)d are invalid. Nothing after that was read, and nothing was saved. Fix "
        "them and send the batch again."
    ) % {"line": line, "count": count}


class TooManyItems(InvalidInput):
    """More items than one batch may have."""

    code = "batch_too_large"
    status = 413

    def __init__(self, *, limit: int) -> None:
        super().__init__(
            _("A batch can have up to %(limit)d items, and this one has more. Split it up.") % {"limit": limit},
            limit=limit,
        )


class BacklogFull(TooManyRequests):
    """So many items wait already that more would only wait longer."""

    code = "batch_backlog"
    message = _(
        "Too many items from your earlier batches are still waiting. Try again when some are done, or cancel a batch."
    )

    def __init__(self, *, waiting: int, limit: int) -> None:
        super().__init__(retry_after=BACKLOG_RETRY_SECONDS)
        self.details |= {"waiting": waiting, "limit": limit}
