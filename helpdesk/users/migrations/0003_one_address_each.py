"""An account has the one address that it was made for: whoever took another by the former address pages gets it back."""

from typing import Any

import structlog
from django.db import migrations

logger = structlog.get_logger(__name__)


def put_addresses_back(apps: Any, schema_editor: Any) -> None:
    """The first row of an account is the address that it was made for; a later one counts only when it was verified.

    An account that is put back keeps its first membership: later ones were offered to the address that it had taken. Without
    its own address any more (somebody else has it) it is switched off.
    """
    User, EmailAddress = apps.get_model("users", "User"), apps.get_model("account", "EmailAddress")
    for user in User.objects.filter(id__in=EmailAddress.objects.values("user_id")):
        rows = EmailAddress.objects.filter(user_id=user.pk)
        first = rows.order_by("id").first().email.lower()
        if first == user.email.lower() or rows.filter(email__iexact=user.email, verified=True).exists():
            continue
        if User.objects.filter(email__iexact=first).exclude(pk=user.pk).exists():
            user.is_active = False
        else:
            user.email = first
        user.save(update_fields=["email", "is_active"])
        ended = _end_later_memberships(schema_editor, user.pk)
        logger.warning("address_put_back", user_id=user.pk, is_active=user.is_active, memberships_ended=ended)
    EmailAddress.objects.all().delete()


def _end_later_memberships(schema_editor: Any, user_id: int) -> int:
    """Row-level security shows a person's memberships to that person, and lets one be removed in its tenant only."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.user_id', %s, true)", [str(user_id)])
        cursor.execute("SELECT id, tenant_id FROM users_membership WHERE user_id = %s ORDER BY created_at", [user_id])
        later = cursor.fetchall()[1:]
        for membership_id, tenant_id in later:
            cursor.execute("SELECT set_config('app.tenant_id', %s, true)", [str(tenant_id)])
            cursor.execute("DELETE FROM users_membership WHERE id = %s", [membership_id])
        cursor.execute("SELECT set_config('app.user_id', '', true), set_config('app.tenant_id', '', true)")
    return len(later)


class Migration(migrations.Migration):

    dependencies = [
        ("account", "0009_emailaddress_unique_primary_email"),
        ("users", "0002_invitations"),
    ]

    operations = [migrations.RunPython(put_addresses_back, migrations.RunPython.noop)]
