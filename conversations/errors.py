"""Why nothing can be written in a conversation."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from helpdesk.errors import Conflict


class NotAnApiConversation(Conflict):
    """A customer holds this conversation in person; nobody else may speak for them."""

    code = "not_an_api_conversation"
    message = _(
        "This conversation was not begun over the API, so that nothing can be asked in it. Begin one of your own."
    )


class ConversationClosed(Conflict):
    """It has ended."""

    code = "conversation_closed"
    message = _("This conversation is closed. Begin another one.")


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


class NewerConversation(Conflict):
    """The customer has begun another one, which a reopened one would hide."""

    code = "newer_conversation"
    message = _("The customer has started a new conversation, so this one stays closed.")
