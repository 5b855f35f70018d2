"""The channels: who sees the conversations of each, and who may write in them.

How an answer leaves is the same for all of them today: its row is the truth, and whoever asked follows the stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from conversations.models import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRules:
    """`is_in_inbox`: the tenant's people look after all of its conversations.

    `admits_people`: a person may take a conversation over and answer in it, and a customer who asks for one waits for one.
    `is_open_to_api_clients`: other software may ask and stop in it.
    `asks_how_it_went`: the customer is asked when a conversation is resolved.
    """

    is_in_inbox: bool = False
    admits_people: bool = False
    is_open_to_api_clients: bool = False
    asks_how_it_went: bool = False


_RULES: Mapping[str, ChannelRules] = {
    Channel.WIDGET: ChannelRules(is_in_inbox=True, admits_people=True, asks_how_it_went=True),
    Channel.API: ChannelRules(admits_people=True, is_open_to_api_clients=True),
    # Nobody reads along: what a person wrote would reach nobody.
    Channel.BATCH: ChannelRules(),
    Channel.SHELL: ChannelRules(),
}
IN_INBOX = tuple(channel for channel, rules in _RULES.items() if rules.is_in_inbox)


def rules_of(channel: str) -> ChannelRules:
    """What holds for the conversations of that channel."""
    return _RULES[channel]
