"""The mail that carries an invitation's link."""

from __future__ import annotations

from smtplib import SMTPException

from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils import translation

from helpdesk.errors import GlassdeskError
from helpdesk.tenants.models import Language, Tenant
from helpdesk.users.models import Invitation


class MailNotSent(GlassdeskError):
    """The mail server is away or refused the mail; nothing was kept."""

    code = "mail_not_sent"
    status = 503


def send_invitation(tenant: Tenant, invitation: Invitation, link: str) -> None:
    """In the company's language. Raises MailNotSent."""
    context = {"company": tenant.name_in(tenant.default_language), "invitation": invitation, "link": link}
    with translation.override("zh-hans" if tenant.default_language == Language.CHINESE else "en"):
        subject = " ".join(render_to_string("account/email/invitation_subject.txt", context).split())
        body = render_to_string("account/email/invitation_message.txt", context)
    try:
        send_mail(subject, body, None, [invitation.email])
    except (SMTPException, OSError) as error:
        raise MailNotSent(
            f"The mail to {invitation.email} could not be sent ({type(error).__name__}), so nobody was invited. "
            "Look at GLASSDESK_MAIL_SERVER, then run it again."
        ) from None
