"""Waiting for an answer within a request."""

from __future__ import annotations

import asyncio
import contextlib

from conversations.followed import FollowedReply
from conversations.follower_events import Answered, Failed
from conversations.following import follow


async def has_ended_within(reply: FollowedReply[None], seconds: float) -> bool:
    """Whether the reply ended within that time."""
    until = asyncio.get_running_loop().time() + seconds
    async with contextlib.aclosing(follow(reply, until=until)) as events:
        async for event in events:
            if isinstance(event, Answered | Failed):
                return True
    return False
