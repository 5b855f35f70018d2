"""What people do with conversations beside answering: assign, set aside, label, rank, resolve. One or many at once.

Every function takes the ids of conversations, locks in the order of their ids those that it would change, changes them in one
statement, records a fact for each and returns how many those were. What is of another company, deleted, or as wanted
already is passed over. Runs inside `tenant_atomic`.
"""

from conversations.inbox.triage.assigning import assign
from conversations.inbox.triage.labelling import add_label, remove_label
from conversations.inbox.triage.parking import park, wake_due
from conversations.inbox.triage.ranking import set_priority
from conversations.inbox.triage.resolving import resolve

__all__ = ["add_label", "assign", "park", "remove_label", "resolve", "set_priority", "wake_due"]
