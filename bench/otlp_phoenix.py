"""What Arize Phoenix makes of exported spans: kinds, times, tokens, documents, messages. Not part of the tests.

Phoenix wants an environment of its own (`python -m venv X && X/bin/pip install arize-phoenix`), never the project's:

    .venv/bin/python -m bench.otlp_phoenix X/bin/phoenix

starts it on loopback with a folder of its own, exports traces like the demo's from a database of its own, reads the spans
back through Phoenix's API, prints a table and exits with 1 when something was lost on the way.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from bench.stacks import ROOT, free_port

TENANT = "mossgate"
PROJECT = f"glassdesk-{TENANT}"
START_SECONDS = 120
STEPS = {"embed": (0.0, 21.0), "retrieve": (21.0, 14.5), "select": (35.5, 6.25), "prompt": (41.75, 1.5)}
LATER_STEPS = {
    "first_token": (43.25, 310.0),
    "decode": (353.25, 840.0),
    "check": (1193.25, 18.0),
    "store": (1211.25, 9.5),
}
GRAPHQL = """
query ($id: ID!) { node(id: $id) { ... on Project { spans(first: 200) { edges { node {
  name spanKind latencyMs tokenCountTotal tokenCountPrompt tokenCountCompletion numDocuments
  input { value } output { value } } } } } } }
"""


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("phoenix", help="the phoenix command of its own environment")
    with phoenix(parser.parse_args().phoenix) as url:
        traces = make_and_export(url)
        spans = read_back(url, expected=sum(len(trace) for trace in traces))
        lines = spans_by_graphql(url)
    print_table(lines)
    problems = compare(traces, spans, lines)
    print("\n".join(problems) or f"{len(spans)} spans of {len(traces)} traces came back as they were sent")
    return 1 if problems else 0


@contextmanager
def phoenix(command: str) -> Iterator[str]:
    """Phoenix on a free port of loopback; its folder is removed afterwards."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="glassdesk-phoenix-") as folder:
        environment = os.environ | {
            "PHOENIX_WORKING_DIR": folder,
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(port),
            "PHOENIX_GRPC_PORT": str(free_port()),
            "PHOENIX_TELEMETRY_ENABLED": "false",
        }
        with open(f"{folder}/log", "wb") as log:
            process = subprocess.Popen([command, "serve"], env=environment, stdout=log, stderr=log)
            try:
                wait_until(lambda: fetch(f"http://127.0.0.1:{port}/healthz", raw=True) is not None, START_SECONDS)
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()
                process.wait(30)


def make_and_export(url: str) -> list[list[Any]]:
    """The spans of each trace, exported from a fresh database through the command that operators use."""
    from tests import services

    try:
        import django

        os.environ["DJANGO_SETTINGS_MODULE"] = "helpdesk.settings"
        owner = os.environ | {"DATABASE_URL": os.environ["DATABASE_OWNER_URL"]}
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0", "--skip-checks"]
        subprocess.run(migrate, cwd=ROOT, env=owner, check=True)
        django.setup()
        return _exported(url)
    finally:
        services.pytest_unconfigure()


def _exported(url: str) -> list[list[Any]]:
    from django.core.management import call_command

    from helpdesk.tenants.scope import tenant_atomic
    from tests.factories import make_tenant
    from tests.integration.tracing.rows import make_trace
    from tests.unit.tracing.samples import make_content, make_record, make_refusal
    from tracing.content import StepRecord
    from tracing.erase import erase_customer
    from tracing.export.otlp import spans_of
    from tracing.export.readers import ShellReader
    from tracing.export.rows import exported_traces
    from tracing.queries import TraceFilter

    early = tuple(StepRecord(name, *times) for name, times in STEPS.items())
    late = tuple(StepRecord(name, *times) for name, times in LATER_STEPS.items())
    tenant, answered = make_tenant(TENANT), make_content(steps=early + late)
    answers = [answered, replace(answered, question="退货需要多长时间？", language="zh"), make_refusal(), answered]
    traces = [make_trace(tenant, make_record(each, total_ms=1220.75)) for each in answers]
    with tenant_atomic(tenant.id):
        erase_customer(traces[-1].conversation.visitor)
    call_command(
        "export_traces", TENANT, "--format", "otlp", "--content", "--reason", "compare receivers", "--endpoint", url
    )
    rows = exported_traces(tenant.id, TraceFilter(), reader=ShellReader("compare receivers"))
    return [spans_of(row, tenant=TENANT) for row in rows]


def read_back(url: str, *, expected: int) -> list[dict[str, Any]]:
    """The spans as Phoenix's REST API gives them, once all are stored."""
    found: list[dict[str, Any]] = []

    def arrived() -> bool:
        answer = fetch(f"{url}/v1/projects/{PROJECT}/spans?limit=1000")
        found[:] = answer["data"] if answer else []
        return len(found) >= expected

    wait_until(arrived, 30)
    return found


def spans_by_graphql(url: str) -> list[dict[str, Any]]:
    """What Phoenix's pages show of each span: tokens and documents as it counted them."""
    projects = fetch(f"{url}/v1/projects")["data"]
    (project,) = [each["id"] for each in projects if each["name"] == PROJECT]
    answer = fetch(f"{url}/graphql", {"query": GRAPHQL, "variables": {"id": project}})
    if answer.get("errors"):
        raise SystemExit(f"Phoenix did not understand the question: {answer['errors'][0]['message']}")
    return [edge["node"] for edge in answer["data"]["node"]["spans"]["edges"]]


def compare(traces: list[list[Any]], spans: list[dict[str, Any]], lines: list[dict[str, Any]]) -> list[str]:
    """What Phoenix lost or misread."""
    by_id = {each["context"]["span_id"]: each for each in spans}
    problems = []
    for sent in (span for trace in traces for span in trace):
        came = by_id.get(f"{sent.context.span_id:016x}")
        if came is None:
            problems.append(f"{sent.name}: missing")
            continue
        kind, parent = sent.attributes["openinference.span.kind"], sent.parent
        wanted = {"name": sent.name, "span_kind": kind, "parent_id": f"{parent.span_id:016x}" if parent else None}
        problems += [f"{sent.name}: {name} is {came[name]}" for name, value in wanted.items() if came[name] != value]
        times = (came["start_time"], sent.start_time), (came["end_time"], sent.end_time)
        problems += [f"{sent.name}: at {found}" for found, wanted in times if abs(nanoseconds(found) - wanted) > 1000]
        problems += lost_attributes(sent, came)
    searches = [line for line in lines if line["spanKind"] == "retriever" and line["input"]]
    calls = [line for line in lines if line["spanKind"] == "llm"]
    problems += (
        ["no documents recognised"] if not searches or not all(each["numDocuments"] for each in searches) else []
    )
    problems += ["no tokens counted"] if not calls or not all(each["tokenCountTotal"] == 13 for each in calls) else []
    return problems


def lost_attributes(sent: Any, came: dict[str, Any]) -> list[str]:
    """Attributes that came back otherwise; `span_kind` holds the kind, and documents' metadata are taken apart."""
    found = dict(came["attributes"])
    for name, value in sent.attributes.items():
        if name.endswith(".document.metadata"):
            parts = json.loads(value)
            found[name] = (
                value if {part: found.get(f"{name}.{part}") for part in parts} == parts else "taken apart wrongly"
            )
    return [
        f"{sent.name}: {name} is {found.get(name)!r}"
        for name, value in sent.attributes.items()
        if name != "openinference.span.kind" and found.get(name) != (list(value) if isinstance(value, tuple) else value)
    ]


def nanoseconds(moment: str) -> int:
    """A moment of the API, exact to the microsecond."""
    found = datetime.fromisoformat(moment)
    return int(found.replace(microsecond=0).timestamp()) * 10**9 + found.microsecond * 1000


def print_table(lines: list[dict[str, Any]]) -> None:
    """One line for each span."""
    print(f"{'span':32} {'kind':10} {'ms':>9} {'tokens':>7} {'documents':>10}  input")
    for each in lines:
        given = ((each["input"] or {}).get("value") or "").replace("\n", " ")[:40]
        tokens, documents = each["tokenCountTotal"] or "", each["numDocuments"] or ""
        print(f"{each['name']:32} {each['spanKind']:10} {each['latencyMs']:9.2f} {tokens:>7} {documents:>10}  {given}")


def fetch(url: str, body: Any = None, *, raw: bool = False) -> Any:
    """A JSON answer; None when there is none."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, data, {"Content-Type": "application/json"}), timeout=30
        ) as answer:
            content = answer.read()
            return content if raw else json.loads(content)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None


def wait_until(condition: Any, seconds: float) -> None:
    """Gives up with a sentence after that many seconds."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise SystemExit(f"Phoenix was not ready after {seconds:.0f} seconds.")
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
