"""What can be wrong with an article's text."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from helpdesk.errors import InvalidInput


class CannotRead(InvalidInput):
    """The text can be saved, but not be cut into passages and stored for search."""

    message = _(
        "This text cannot be prepared for search. Shorten its longest paragraph, list or table, or take it out, "
        "and publish again."
    )


class NothingToQuote(InvalidInput):
    """The text has no passage: an image, a comment or markup only."""

    message = _("Nothing in this text could be quoted to a customer. Write what it shows as a sentence.")
