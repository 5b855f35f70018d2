"""`manage.py legal_hold TENANT [CONVERSATION] [--reason TEXT | --release]`: keep a conversation's traces; list what is kept."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from conversations.models import Conversation
from helpdesk.errors import GlassdeskError
from helpdesk.tenants.scope import tenant_atomic
from tracing.holds import active_holds, place_hold, release_hold
from tracing.management.tenants import named_tenant


class Command(BaseCommand):
    """Neither retention nor erasure touches the traces of a held conversation."""

    help = "Place or release a legal hold on a conversation; without a conversation, list the active holds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument(
            "conversation", nargs="?", type=UUID, help="the conversation's id, as in the desk's address"
        )
        parser.add_argument("--reason", default="", help="why it is kept")
        parser.add_argument("--release", action="store_true", help="end the hold")

    def handle(self, *args: Any, tenant: str, conversation: UUID | None, **options: Any) -> None:
        try:
            with tenant_atomic(named_tenant(tenant).id):
                if conversation is None:
                    self._list()
                else:
                    self._change(conversation, reason=options["reason"], release=options["release"])
        except GlassdeskError as error:
            raise CommandError(str(error.message)) from None

    def _list(self) -> None:
        holds = active_holds().order_by("placed_at")
        for hold in holds:
            self.stdout.write(f"{hold.conversation_id}  since {hold.placed_at:%Y-%m-%d %H:%M}  {hold.reason}")
        if not holds:
            self.stdout.write("No conversations are on hold.")

    def _change(self, conversation_id: UUID, *, reason: str, release: bool) -> None:
        row = Conversation.objects.filter(id=conversation_id).first()
        if row is None:
            raise CommandError(f"This company has no conversation {conversation_id}.")
        if not release:
            place_hold(row, user=None, reason=reason)
            self.stdout.write(f"{conversation_id} is on hold.")
            return
        hold = active_holds().filter(conversation=row).first()
        if hold is None:
            raise CommandError("There is no hold on this conversation.")
        release_hold(hold, user=None, reason=reason)
        self.stdout.write(f"The hold on {conversation_id} has ended.")
