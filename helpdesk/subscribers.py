"""Who is notified of what happened: the whole list (docs/facts.md)."""

from __future__ import annotations

from automation.running import run_rules
from automation.triggers import STARTS, may_start
from batches.queueing import feed_after
from conversations.clocks.winding import WINDS, may_wind, wind_after
from conversations.mails import is_of_person, mail_answer, mail_breach, mail_transcript, mail_unclaimed
from conversations.models import Channel
from conversations.publishing import STREAMED, publish_fact
from conversations.staffing.assignment import MAKES_ROOM, assign_after
from helpdesk.facts.kinds import FactKind
from helpdesk.facts.subscribing import Subscriber
from helpdesk.users.access_news import CHANGES_ACCESS, publish_access
from reports.relabelling import RELABELS, recount_after

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
    Subscriber("clocks", kinds=WINDS, deliver=wind_after, takes=may_wind),
    Subscriber("automation", kinds=STARTS, deliver=run_rules, takes=may_start),
    Subscriber("breach_mail", kinds=frozenset({FactKind.CLOCK_BREACHED}), deliver=mail_breach),
    Subscriber("reports", kinds=RELABELS, deliver=recount_after),
    Subscriber("transcript_mail", kinds=frozenset({FactKind.TRANSCRIPT_REQUESTED}), deliver=mail_transcript),
)
