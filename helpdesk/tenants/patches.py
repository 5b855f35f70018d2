"""Every name of asgiref that nobody promised and that is reached into."""

from __future__ import annotations

from helpdesk.private_names import Library, PrivateName

WHERE = "off_loop.py"
WHY = "a request that waits gives back the thread that was made for its synchronous parts"
MISSING = "each waiting request is an error"

ASGIREF = Library(
    name="asgiref",
    distributions=("asgiref",),
    tested=("3.13",),
    names=tuple(
        PrivateName(module="asgiref.sync", name=f"SyncToAsync.{name}", where=WHERE, why=WHY, missing=MISSING)
        for name in ("context_to_thread_executor", "thread_sensitive_context")
    ),
)

LIBRARIES = (ASGIREF,)
