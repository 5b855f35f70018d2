"""One family of errors. Each has a stable `code`, an HTTP status and a sentence that a person can act on."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _


class GlassdeskError(Exception):
    """Base of every error that a person may see; `message` says what went wrong and what to do next."""

    code = "error"
    status = 500
    message: object = _("Something went wrong on our end. Try again in a moment.")

    def __init__(self, message: object | None = None, **details: object) -> None:
        if message is not None:
            self.message = message
        self.details = details
        super().__init__(str(self.code))

    def as_dict(self) -> dict[str, object]:
        """The error body of every HTTP and websocket answer."""
        return {"error": {"code": self.code, "message": str(self.message), **self.details}}


class NotFound(GlassdeskError):
    """Absent, or not for this person: both look the same."""

    code = "not_found"
    status = 404
    message = _("This doesn't exist, or you don't have access to it.")


class Forbidden(GlassdeskError):
    """The person belongs here but lacks the right."""

    code = "forbidden"
    status = 403
    message = _("Your role doesn't allow this. Ask an owner or admin on your team.")


class NotSignedIn(GlassdeskError):
    """No valid identity came with the request."""

    code = "not_signed_in"
    status = 401
    message = _("Your session has ended. Sign in again.")


class InvalidInput(GlassdeskError):
    """What was sent cannot be used; `message` says why."""

    code = "invalid"
    status = 400
    message = _("We couldn't read this. Check it and send it again.")


class MessageTooLong(InvalidInput):
    """A chat message above the limit; `details` carry limit and length."""

    code = "message_too_long"
    status = 413

    def __init__(self, *, limit: int, length: int) -> None:
        super().__init__(
            _("Your message has %(length)d characters; the limit is %(limit)d. Shorten it or send it in parts.")
            % {"length": length, "limit": limit},
            limit=limit,
            length=length,
        )


class Conflict(GlassdeskError):
    """Somebody else changed it first."""

    code = "conflict"
    status = 409
    message = _("Someone else just changed this. Reload and try again.")


class TooManyRequests(GlassdeskError):
    """A limit was reached; `retry_after` is in seconds."""

    code = "too_many_requests"
    status = 429
    message = _("You're going a bit fast. Wait a moment and try again.")

    def __init__(self, *, retry_after: int) -> None:
        super().__init__(retry_after=retry_after)
        self.retry_after = retry_after


class Busy(TooManyRequests):
    """The queue for an answer is full. `wait_seconds` is when a new answer would begin; None when nobody knows."""

    code = "busy"

    def __init__(self, *, retry_after: int, wait_seconds: int | None) -> None:
        message: object
        if wait_seconds is None:
            message = _("Too many questions are waiting right now. Try again in a moment, or talk to a person.")
        else:
            message = _(
                "Too many questions are waiting; an answer would start in about %(seconds)d seconds. Try again "
                "later, or talk to a person."
            ) % {"seconds": wait_seconds}
        GlassdeskError.__init__(self, message, retry_after=retry_after, wait_seconds=wait_seconds)
        self.retry_after = retry_after


class Unavailable(GlassdeskError):
    """A part that the request needs is down; trying again later may succeed."""

    code = "unavailable"
    status = 503
    message = _("Part of the desk isn't available right now. Your text is kept; try again in a moment.")
