"""How allauth's second step behaves here: its secrets are sealed at rest, and it stays where a company requires it."""

from __future__ import annotations

from base64 import b64decode, b64encode

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from helpdesk import crypto
from helpdesk.errors import GlassdeskError
from helpdesk.users.models import User
from helpdesk.users.second_step import SECOND_STEPS, is_required_of

PLACE = b"second-step"


class SecondStepUnreadable(GlassdeskError):
    """It was sealed under another secret key: nothing opens it any more."""

    code = "second_step_unreadable"
    status = 503
    message = _("Your second step cannot be checked on this server any more. Ask an operator to reset it.")


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Sealed secrets, our words; everything else as allauth does it."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "cannot_delete_authenticator": _("One of your companies requires two-step sign-in, so one method has to stay."),
        "incorrect_code": _("That code is not right. Codes change every 30 seconds; enter the newest one."),
    }

    def encrypt(self, text: str) -> str:
        return b64encode(crypto.seal(_key(), text.encode(), PLACE)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return crypto.unseal(_key(), b64decode(encrypted_text), PLACE).decode()
        except (crypto.SealError, ValueError):
            raise SecondStepUnreadable from None

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        user: User = authenticator.user
        others = Authenticator.objects.filter(user=user, type__in=SECOND_STEPS).exclude(pk=authenticator.pk)
        return bool(others.exists()) or not is_required_of(user)

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return gettext("Security key %(number)d") % {"number": number}

    def _get_site_name(self) -> str:
        return "Glassdesk"


def _key() -> bytes:
    return crypto.derive(settings.SECRET_KEY.encode(), "second-step")
