"""OpenAI's error body: `{"error": {"message", "type", "param", "code"}}`, from the desk's own family of errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from chat_requests.errors import InvalidJsonSchema
from conversations.failures import FailureCode
from helpdesk.errors import GlassdeskError, InvalidInput, NotFound, TooManyRequests, Unavailable


class ModelNotFound(NotFound):
    """No assistant of this company answers with that model."""

    code = "model_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(
            _("There is no model “%(name)s”. GET /v1/models lists the available ones.") % {"name": name[:100]},
            parameter="model",
        )


class NoModelReady(Unavailable):
    """No worker has reported lately."""

    code = "model_not_ready"
    message = _("No model is ready at the moment. Try again in a few seconds.")


class ContextLengthExceeded(InvalidInput):
    """The model cannot read that much."""

    code = "context_length_exceeded"

    def __init__(self) -> None:
        super().__init__(
            _(
                "The messages plus the tokens reserved by max_tokens exceed the model's context window. Shorten the "
                "messages or lower max_tokens."
            ),
            parameter="messages",
        )


class AnswerFailed(GlassdeskError):
    """No answer came about; asking again may succeed."""

    code = "answer_failed"
    message = _("Something went wrong while writing the answer. Ask again.")


class AnswerTooLate(GlassdeskError):
    """The answer was not complete in time."""

    code = "deadline_exceeded"
    status = 504
    message = _("The answer took too long. Ask again, or ask for a shorter one.")


class AnswerWithdrawn(GlassdeskError):
    """What was already sent is not the beginning of the answer; `details` carry the one that stands."""

    code = "answer_replaced"
    message = _("The text sent so far was withdrawn and replaced. Use the answer in this error instead.")


# Whatever else ends a reply is no fault of the request: asking again may succeed.
_OF_FAILED_REPLIES: Mapping[str, Callable[[], GlassdeskError]] = {
    FailureCode.CONTEXT_LENGTH: ContextLengthExceeded,
    FailureCode.REFUSED_REQUEST: InvalidJsonSchema,
    FailureCode.DEADLINE: AnswerTooLate,
    FailureCode.MODEL_UNAVAILABLE: NoModelReady,
}


def of_failed_reply(code: str) -> GlassdeskError:
    """What the caller reads about a reply that failed with this code."""
    return _OF_FAILED_REPLIES.get(code, AnswerFailed)()


def error_body(error: GlassdeskError) -> dict[str, Any]:
    """The body as OpenAI's clients read it."""
    details: Mapping[str, object] = error.details
    extras = {name: value for name, value in details.items() if name not in {"parameter", "retry_after"}}
    return {
        "error": {
            "message": str(error.message),
            "type": _kind(error),
            "param": details.get("parameter"),
            "code": "invalid_value" if type(error) is InvalidInput else error.code,
            **extras,
        }
    }


def _kind(error: GlassdeskError) -> str:
    if isinstance(error, TooManyRequests):
        return "rate_limit_error"
    return "invalid_request_error" if error.status < 500 else "server_error"
