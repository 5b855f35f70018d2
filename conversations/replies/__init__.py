"""The life of a reply in the database: the one writer of its state. Every step is a conditional UPDATE.

queued -> running -> done | failed; running -> queued after a lost worker; queued -> failed when somebody stops it.
"""

from conversations.replies.ends import end_replies_of_deleted, stop_replies, stop_reply
from conversations.replies.failing import fail_reply
from conversations.replies.handing_over import end_hand_off, hand_off_rules, hand_over, next_alarm, queue_for_person
from conversations.replies.holding import hold_replies, resume_replies, seconds_held
from conversations.replies.reasons import reason_of_rating
from conversations.replies.steps import (
    Answer,
    ClaimedReply,
    ReplyLost,
    TakenOver,
    claim_reply,
    finish_reply,
    is_stopped,
    queue_reply,
    release_reply,
    renew_leases,
    send_reply_again,
)

__all__ = [
    "Answer",
    "ClaimedReply",
    "ReplyLost",
    "TakenOver",
    "claim_reply",
    "end_hand_off",
    "end_replies_of_deleted",
    "fail_reply",
    "finish_reply",
    "hand_off_rules",
    "hand_over",
    "hold_replies",
    "is_stopped",
    "next_alarm",
    "queue_for_person",
    "queue_reply",
    "reason_of_rating",
    "release_reply",
    "renew_leases",
    "resume_replies",
    "seconds_held",
    "send_reply_again",
    "stop_replies",
    "stop_reply",
]
