"""What can be wrong with an article's text."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from helpdesk.errors import InvalidInput


class CannotRead(InvalidInput):
    """The text can be saved, but not be cut into passages and stored for search."""

    message = _(
        "This text can't be indexed. Shorten or remove its longest paragraph, list or table, then publish again."
    )


class NothingToQuote(InvalidInput):
    """The text has no passage: an image, a comment or markup only."""

    message = _("Nothing in this text can be quoted to a customer. Write it as sentences.")
