"""Who is notified of what happened: the whole list (docs/facts.md)."""

from __future__ import annotations

from batches.queueing import feed_after
from conversations.mails import is_of_person, mail_answer, mail_transcript, mail_unclaimed
from conversations.models import Channel
from conversations.publishing import STREAMED, publish_fact
from conversations.staffing.assignment import MAKES_ROOM, assign_after
from helpdesk.facts.kinds import FactKind
from helpdesk.facts.subscribing import Subscriber
from helpdesk.users.access_news import CHANGES_ACCESS, publish_access

REPLY_ENDED = frozenset({FactKind.REPLY_DONE, FactKind.REPLY_FAILED})

SUBSCRIBERS = (
    Subscriber("streams", kinds=STREAMED, deliver=publish_fact, is_prompt=True),
    Subscriber(
        "batches",
        kinds=REPLY_ENDED,
        deliver=feed_after,
        takes=lambda fact: fact.data["channel"] == Channel.BATCH,
        is_prompt=True,
    ),
    Subscriber("access", kinds=CHANGES_ACCESS, deliver=publish_access, is_prompt=True),
    Subscriber("alarm_mail", kinds=frozenset({FactKind.HAND_OFF_UNCLAIMED}), deliver=mail_unclaimed),
    Subscriber("assignment", kinds=MAKES_ROOM, deliver=assign_after),
    Subscriber("answer_mail", kinds=frozenset({FactKind.MESSAGE_POSTED}), deliver=mail_answer, takes=is_of_person),
    Subscriber("transcript_mail", kinds=frozenset({FactKind.TRANSCRIPT_REQUESTED}), deliver=mail_transcript),
)
