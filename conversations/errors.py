"""Why nothing can be written in a conversation, or a chat is not served."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from helpdesk.errors import Conflict, Forbidden, GlassdeskError


class NotAnApiConversation(Conflict):
    """A customer holds this conversation in person; nobody else may speak for them."""

    code = "not_an_api_conversation"
    message = _("This conversation wasn't started through the API, so you can't ask in it. Start a new one.")


class ConversationClosed(Conflict):
    """It has ended."""

    code = "conversation_closed"
    message = _("This conversation is closed. Start a new one.")


class WebsiteRefused(Forbidden):
    """The company does not name the website around the chat."""

    code = "website_refused"
    message = _("This website isn’t set up for the chat yet")


IDENTITY_REASONS = {
    "malformed": _("The identity is not a JSON Web Token."),
    "unknown_key": _("The identity names no active key (kid) of this company."),
    "bad_signature": _("The identity’s signature does not match its key. Sign with ES256."),
    "expired": _("The identity has expired (exp)."),
    "incomplete": _("The identity needs a subject (sub) and an expiry (exp)."),
    "lasts_too_long": _("The identity must expire within a day (exp)."),
    "bad_subject": _("The identity’s subject (sub) must have 1 to 128 printable characters."),
}


class IdentityRefused(GlassdeskError):
    """The company's server did not say who the customer is in a way that counts; `reason` is one of IDENTITY_REASONS."""

    code = "identity_refused"
    status = 422

    def __init__(self, reason: str) -> None:
        super().__init__(IDENTITY_REASONS[reason], reason=reason)


class LinkExpired(GlassdeskError):
    """The link of a mail no longer opens the conversation."""

    code = "link_expired"
    status = 422
    message = _("This link no longer works. You can start a new conversation here.")


class TicketExpired(GlassdeskError):
    """The chat's page was loaded too long ago, or is not ours."""

    code = "ticket_expired"
    status = 428
    message = _("This chat has been open for long. Reload the page to go on.")


class AlreadyTaken(Conflict):
    """Somebody else has the conversation; the message says who."""

    code = "already_taken"

    def __init__(self, name: str) -> None:
        super().__init__(_("%(name)s has already taken this conversation.") % {"name": name})


class AnsweredMeanwhile(Conflict):
    """Something was said since the writer last looked; the message says by whom. Sending again sends it."""

    code = "answered_meanwhile"

    def __init__(self, name: str) -> None:
        super().__init__(_("%(name)s replied while you were writing. Read it, then send again.") % {"name": name})


class SurveyOver(Conflict):
    """It is too late to say how a conversation went, or to change it."""

    code = "survey_over"
    message = _("This conversation can no longer be rated.")


class NewerConversation(Conflict):
    """The customer has begun another one, which a reopened one would hide."""

    code = "newer_conversation"
    message = _("The customer has started a new conversation, so this one stays closed.")
