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
    """Some lines cannot be used; nothing was stored. `details` list the first 100 of them."""

    code = "batch_invalid"
    status = 400

    def __init__(self, errors: Sequence[LineError]) -> None:
        super().__init__(
            ngettext_lazy(
                "%(count)d line cannot be used, so nothing was stored. Mend it and send the batch again.",
                "%(count)d lines cannot be used, so nothing was stored. Mend them and send the batch again.",
                "count",
            )
            % {"count": len(errors)},
            errors=[asdict(error) for error in errors[:MAX_ERRORS]],
            error_count=len(errors),
        )
        self.line_errors = list(errors[:MAX_ERRORS])


class TooManyItems(InvalidInput):
    """More items than one batch may have."""

    code = "batch_too_large"
    status = 413

    def __init__(self, *, limit: int, count: int) -> None:
        super().__init__(
            _("The batch has %(count)d items; the limit is %(limit)d. Send it in parts.")
            % {"count": count, "limit": limit},
            limit=limit,
            count=count,
        )


class BacklogFull(TooManyRequests):
    """So many items wait already that more would only wait longer."""

    code = "batch_backlog"
    message = _(
        "Too many items of your earlier batches are still waiting. Try again when some are done, or cancel one."
    )

    def __init__(self, *, waiting: int, limit: int) -> None:
        super().__init__(retry_after=BACKLOG_RETRY_SECONDS)
        self.details |= {"waiting": waiting, "limit": limit}
