"""The life of a reply in the database: the one writer of its state. Every step is a conditional UPDATE.

queued -> running -> done | failed; running -> queued after a lost worker; queued -> failed when somebody stops it.
"""

from conversations.replies.ends import end_replies_of_deleted, fail_reply, stop_replies, stop_reply
from conversations.replies.handing_over import queue_for_person
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
    "end_replies_of_deleted",
    "fail_reply",
    "finish_reply",
    "is_stopped",
    "queue_for_person",
    "queue_reply",
    "release_reply",
    "renew_leases",
    "send_reply_again",
    "stop_replies",
    "stop_reply",
]
