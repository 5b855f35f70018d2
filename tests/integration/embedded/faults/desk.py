"""The running desk as a test sees it from outside: its programs, its readiness and the rows in its database."""

from __future__ import annotations

import asyncio
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import contextmanager, suppress
from typing import Any, LiteralString

import psutil
import psycopg
from psycopg.rows import dict_row

from helpdesk.embedded.postgres_roles import DATABASE, SUPERUSER
from tests.running_stack import RunningStack

TITLES = {
    "Valkey": "valkey-server",
    "PostgreSQL": "/postgres -D",
    "inference worker": "inference@",
    "web server": "daphne",
}
# Vectors of hashed words lie far below a real model's cosines, and so do the gate's scores of them.
GATE = '{"threshold": {"en": 0.0, "zh": 0.0}}'

REPLIES: LiteralString = """
    SELECT question.body AS question, reply.status, reply.error_code, reply.attempt,
           (SELECT count(*) FROM conversations_message answer
            WHERE answer.id = reply.answer_id AND answer.author = 'ai') AS answers,
           (SELECT count(*) FROM tracing_trace trace WHERE trace.reply_id = reply.id) AS traces
    FROM conversations_message question LEFT JOIN conversations_reply reply ON reply.question_id = question.id
    WHERE question.author = 'customer' AND question.conversation_id = %s ORDER BY question.position
"""
MESSAGES: LiteralString = """
    SELECT position, author, body FROM conversations_message WHERE conversation_id = %s ORDER BY position
"""
ANSWERS_OF: LiteralString = """
    SELECT reply.status, reply.error_code, reply.answer_id IS NOT NULL AS is_answered,
           (SELECT count(*) FROM conversations_message answer
            WHERE answer.conversation_id = conversation.id AND answer.author = 'ai') AS answers,
           (SELECT count(*) FROM tracing_trace trace WHERE trace.conversation_id = conversation.id) AS traces
    FROM conversations_conversation conversation
    LEFT JOIN conversations_reply reply ON reply.conversation_id = conversation.id
    WHERE conversation.channel = %s
"""
OPEN_ITEMS: LiteralString = "SELECT count(*) AS items FROM batches_batchitem WHERE state IN ('waiting', 'running')"
ENDED_ITEMS: LiteralString = "SELECT count(*) AS items FROM batches_batchitem WHERE state NOT IN ('waiting', 'running')"
QUESTION_COUNT: LiteralString = "SELECT count(*) AS count FROM conversations_message WHERE author = 'customer'"
CONVERSATION: LiteralString = "SELECT conversation_id FROM conversations_message WHERE id = %s"


class Desk:
    """A stack with its database opened past row-level security, and its programs to be killed."""

    def __init__(self, stack: RunningStack) -> None:
        self.stack = stack
        folder = stack.data / "postgres"
        self._database = {
            "host": "127.0.0.1",
            "port": (folder / "port").read_text().strip(),
            "user": SUPERUSER,
            "password": (folder / "superuser.password").read_text().strip(),
            "dbname": DATABASE,
        }

    def open_gate(self) -> None:
        """Let the assistants answer on the scripted embedder's scores."""
        with self._connect() as connection:
            connection.execute("UPDATE conversations_assistant SET refusal_gate = %s", [GATE])

    def program(self, title: str) -> psutil.Process | None:
        """The program that `up` keeps running under this title; None between its end and its next start."""
        for child in psutil.Process(self.stack.process.pid).children():
            with suppress(psutil.NoSuchProcess):
                if TITLES[title] in " ".join(child.cmdline()):
                    return child
        return None

    def end(self, title: str, how: signal.Signals) -> Callable[[], bool]:
        """Send a program a signal that ends it; the returned function says whether another one runs in its place."""
        ended = self.program(title)
        assert ended is not None
        ended.send_signal(how)
        return lambda: self.program(title) not in (None, ended)

    def conversation(self, message_id: str) -> tuple[list[dict[str, Any]], list[tuple[int, str, str]]]:
        """What is stored of the conversation that holds this message: its replies, and all messages in order."""
        with self._connect() as connection:
            (found,) = connection.execute(CONVERSATION, [message_id]).fetchall()
            replies = connection.execute(REPLIES, [found["conversation_id"]]).fetchall()
            messages = connection.execute(MESSAGES, [found["conversation_id"]]).fetchall()
        return replies, [(row["position"], row["author"], row["body"]) for row in messages]

    def replies_of(self, channel: str) -> list[dict[str, Any]]:
        """Every reply of the channel, with how many answers and traces its conversation has."""
        with self._connect() as connection:
            return list(connection.execute(ANSWERS_OF, [channel]).fetchall())

    def items(self, *, ended: bool) -> int:
        """How many batch items have ended, or have not."""
        with self._connect() as connection:
            (found,) = connection.execute(ENDED_ITEMS if ended else OPEN_ITEMS).fetchall()
        return int(found["items"])

    def questions(self) -> int:
        """How many questions are stored, whoever asked them."""
        with self._connect() as connection:
            (found,) = connection.execute(QUESTION_COUNT).fetchall()
        return int(found["count"])

    def is_ready(self) -> bool:
        """What /health/ready says."""
        try:
            with urllib.request.urlopen(f"{self.stack.base_url}/health/ready", timeout=10) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    @contextmanager
    def _connect(self):  # type: ignore[no-untyped-def]
        with psycopg.connect(**self._database, row_factory=dict_row, autocommit=True) as connection:
            yield connection


async def until(condition: Callable[[], object], what: str, *, seconds: float) -> None:
    """Wait for something outside; the condition runs in a thread, since it may block."""
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline, f"{what} did not come true within {seconds:.0f} s"
        await asyncio.sleep(0.1)
