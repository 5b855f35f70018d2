"""`manage.py ask TENANT "question"`: one question through the real queue, with everything that led to the answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
from argparse import ArgumentParser
from collections.abc import AsyncGenerator
from typing import Any

from asgiref.sync import async_to_sync
from django.core.management.base import BaseCommand, CommandError

from conversations.entries import TextWritten
from conversations.failures import sentence_for_desk
from conversations.followed import FollowedReply, nothing_of
from conversations.follower_events import Answered, Came, Failed, Quiet, ReplyEvent
from conversations.following import follow
from conversations.inbound import from_shell
from conversations.intake import receive
from conversations.language_notes import language_note
from conversations.models import Message, Reply
from conversations.parameters import RequestParameters
from helpdesk.errors import GlassdeskError
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.queries import tenant_by_slug
from helpdesk.tenants.scope import tenant_atomic
from knowledge.text import detect_language
from tracing.content import TraceContent
from tracing.models import Trace
from tracing.read import TraceUnreadable, open_trace_from_shell

WAIT_SECONDS = 180


class Command(BaseCommand):
    """Posts the question as a new visitor and follows the stream until the answer stands."""

    help = "Ask a tenant's assistant through the real queue and print answer, sources, confidence, timings, trace id."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="slug of the tenant")
        parser.add_argument("question")
        parser.add_argument("--no-cache", action="store_true", help="write a new answer")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        question, as_json = options["question"], options["json"]
        try:
            tenant = tenant_by_slug(options["tenant"])
            parameters = RequestParameters(use_cache=not options["no_cache"])
            posted = receive(
                from_shell(
                    tenant_id=tenant.id, body=question, language=detect_language(question), parameters=parameters
                )
            )
        except GlassdeskError as error:
            raise CommandError(str(error.message)) from error
        assert posted.reply is not None  # noqa: S101 - nobody takes over what the shell asks
        end = self._follow(tenant, posted.reply, echo=not as_json)
        if isinstance(end, Failed):
            raise CommandError(f"{sentence_for_desk(end.code)} ({end.code})")
        report = self._report(tenant, posted.reply)
        self.stdout.write(json.dumps(report, ensure_ascii=False, indent=1) if as_json else self._as_text(report))

    def _follow(self, tenant: Tenant, reply: Reply, *, echo: bool) -> Answered[None] | Failed:
        """Print the text as it is written; returns how the reply ended."""
        followed = FollowedReply(
            tenant_id=tenant.id, conversation_id=reply.conversation_id, reply_id=reply.id, read_answer=nothing_of
        )
        return async_to_sync(self._echo)(followed, is_shown=echo)

    async def _echo(self, reply: FollowedReply[None], *, is_shown: bool) -> Answered[None] | Failed:
        attempt = 0
        followed: AsyncGenerator[ReplyEvent[None] | Quiet, None] = follow(
            reply, until=asyncio.get_running_loop().time() + WAIT_SECONDS
        )
        async with contextlib.aclosing(followed) as events:
            async for event in events:
                match event:
                    case Came(entry=TextWritten() as written) if is_shown:
                        if attempt and written.attempt != attempt:
                            self.stdout.write("\n(starting over)")
                        attempt = written.attempt
                        self.stdout.write(written.text, ending="")
                        self.stdout.flush()
                    case Answered() | Failed():
                        return event
        raise CommandError(f"No answer within {WAIT_SECONDS} s. Is the inference worker running (make run)?")

    def _report(self, tenant: Tenant, reply: Reply) -> dict[str, Any]:
        with tenant_atomic(tenant.id):
            message: Message = Message.objects.get(answer_to=reply.id)
            trace: Trace = Trace.objects.get(reply_id=reply.id)
            try:
                content = open_trace_from_shell(trace=trace, reason="manage.py ask")
            except TraceUnreadable as error:
                # Leaving the block normally keeps the log of the attempt.
                unreadable = str(error.message)
            else:
                unreadable = ""
        if unreadable:
            raise CommandError(unreadable)
        return {
            "answer": message.body,
            "outcome": message.outcome,
            "note": language_note(message),
            "sources": [
                {name: source[name] for name in ("number", "title", "heading", "language", "version", "quote")}
                for source in message.sources
            ],
            "confidence": _confidence(content),
            "timings_ms": {step.name: step.duration_ms for step in content.steps}
            | {"queue": trace.queue_ms, "total": trace.queue_ms + trace.total_ms},
            "cache": _cache(trace, content),
            "model": trace.model,
            "trace": str(trace.id),
            "report": f"/desk/{tenant.slug}/traces/{reply.id}/",
        }

    def _as_text(self, report: dict[str, Any]) -> str:
        lines = ["", "" if report["outcome"] == "answered" else f"{report['outcome']}: {report['answer']}"]
        lines += [report["note"]] if report["note"] else []
        lines += [
            f"  [{source['number']}] {source['title']} > {source['heading']} ({source['language']}, v{source['version']})"
            for source in report["sources"]
        ]
        lines += ["", "Confidence inputs"] + [f"  {name:<28} {value}" for name, value in report["confidence"].items()]
        lines += ["", "Milliseconds"] + [f"  {name:<28} {value:.1f}" for name, value in report["timings_ms"].items()]
        cache = report["cache"]
        if cache:
            lines += [
                "",
                f"Cache   {cache['kind']}, similarity {cache['similarity']}, saved {cache['saved_tokens']} tokens",
            ]
            lines += [f"        original trace {cache['original_trace']}"]
        nothing = "none: a cached answer" if cache else "none: a fixed text, or declined before generation"
        lines += ["", f"Model   {report['model'] or nothing}", f"Trace   {report['trace']}"]
        lines += [f"Report  {report['report']}"]
        return "\n".join(lines)


def _cache(trace: Trace, content: TraceContent) -> dict[str, Any] | None:
    """Where a cached answer comes from."""
    if content.cached is None:
        return None
    return {
        "kind": content.cached.kind,
        "similarity": content.cached.similarity,
        "original_trace": content.cached.trace,
        "saved_tokens": trace.saved_tokens,
    }


def _confidence(content: TraceContent) -> dict[str, Any]:
    """The inputs side by side; a part that was not measured is left out."""
    parts: dict[str, Any] = {"band": content.confidence.band, "calibrated": content.confidence.calibrated}
    if content.selection is not None:
        parts |= {
            "gate score": content.selection.score,
            "gate threshold": content.selection.threshold,
            "margin": content.selection.margin,
        }
    if content.missing:
        parts["not mentioned"] = ", ".join(each.text for each in content.missing)
    if content.confidence.retrieval is not None:
        parts["rank agreement"] = content.confidence.retrieval.rank_agreement
    if content.confidence.token_probability is not None:
        parts["mean log-probability"] = content.confidence.token_probability.mean_logprob
        parts["weakest span"] = content.confidence.token_probability.weakest_span.mean_logprob
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in parts.items()}
