"""Why nothing can be written in a conversation."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from helpdesk.errors import Conflict


class NotAnApiConversation(Conflict):
    """A customer holds this conversation in person; nobody else may speak for them."""

    code = "not_an_api_conversation"
    message = _("This conversation wasn't started through the API, so you can't ask in it. Start a new one.")


class ConversationClosed(Conflict):
    """It has ended."""

    code = "conversation_closed"
    message = _("This conversation is closed. Start a new one.")
