"""Who is told of what happened: the whole list (docs/facts.md)."""

from __future__ import annotations

from conversations.publishing import STREAMED, publish_fact
from helpdesk.facts.subscribing import Subscriber

SUBSCRIBERS = (Subscriber("streams", kinds=STREAMED, deliver=publish_fact, is_prompt=True),)
