"""A process that dies: `python -m tests.integration.facts.dying POINT TENANT CONVERSATION`.

Points: `committed`, before anybody was notified; `published`, before that was acknowledged; `relaying`, in a relay, after
the first of what was owed; `nowhere`, it lives.
"""

from __future__ import annotations

import os
import signal
import sys
import uuid

import django
from django.db import transaction


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(point: str, tenant_id: uuid.UUID, conversation_id: uuid.UUID) -> None:
    from django.conf import settings

    from conversations.models import Author, Conversation
    from conversations.transcript import append_message
    from helpdesk.facts.relay import relay_to
    from helpdesk.facts.subscribing import subscribers
    from helpdesk.tenants.scope import tenant_atomic

    if point in {"published", "relaying"}:
        settings.FACT_SUBSCRIBERS = "tests.integration.facts.listeners.DYING"
    if point == "relaying":
        relay_to(subscribers()[0], [tenant_id])
        return
    with tenant_atomic(tenant_id):
        if point == "committed":
            # The first callback of the transaction: it runs before the one of the facts.
            transaction.on_commit(die)
        conversation = Conversation.objects.get(id=conversation_id)
        append_message(conversation, author=Author.CUSTOMER, body="Hello?", language="en")


if __name__ == "__main__":
    django.setup()
    main(sys.argv[1], uuid.UUID(sys.argv[2]), uuid.UUID(sys.argv[3]))
