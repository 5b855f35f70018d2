"""Alert rules, their examples and the board name only metrics that the code has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY, Metric

import helpdesk.metrics.web  # noqa: F401 - registers what the web process counts
import inference_worker.answering.measuring
import inference_worker.metrics  # noqa: F401 - registers what a worker measures
from helpdesk.metrics.views import WEB
from tests.conftest import ROOT

NAME = re.compile(r"\bglassdesk_[a-z0-9_]+")
OURS = "glassdesk_"
# Words that would tell one company's figures from another's, or hold somebody's text.
FORBIDDEN_LABELS = re.compile(r"tenant|slug|visitor|user|conversation|reply_id|question|text|path|email")


def collectors() -> list[Any]:
    registered: list[Any] = [*REGISTRY._collector_to_names, *WEB._collector_to_names]
    return [collector for collector in registered if hasattr(collector, "describe")]


def our_metrics() -> list[Metric]:
    described = [metric for collector in collectors() for metric in collector.describe()]
    return [metric for metric in described if metric.name.startswith(OURS)]


def sample_names() -> set[str]:
    """As they appear in queries: counters end in _total, histograms have three series."""
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
    return {metric.name + suffix for metric in our_metrics() for suffix in suffixes[metric.type]}


def expressions() -> Iterator[tuple[str, str]]:
    rules = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    board = json.loads((ROOT / "deploy/grafana/glassdesk.json").read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


def examples() -> list[dict[str, Any]]:
    tests: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy/prometheus/alerts_test.yml").read_text())["tests"]
    return tests


EXAMPLES = [(test["name"], each["series"]) for test in examples() for each in test["input_series"]]


@pytest.mark.parametrize(("where", "expression"), [*expressions(), *EXAMPLES])
def test_every_named_metric_exists(where: str, expression: str) -> None:
    named = set(NAME.findall(expression))
    assert named or "up{" in expression
    assert named - sample_names() == set()
    assert expression.count("(") == expression.count(")")


def test_the_board_shows_every_metric() -> None:
    shown = {name for _, expression in expressions() for name in NAME.findall(expression)}
    missing = [metric.name for metric in our_metrics() if not any(name.startswith(metric.name) for name in shown)]
    assert missing == []


def test_every_alert_says_how_urgent_it_is_and_what_happened() -> None:
    rules = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"][0]["rules"]
    assert [rule["alert"] for rule in rules if rule["labels"]["severity"] not in {"page", "ticket"}] == []
    assert [rule["alert"] for rule in rules if not rule["annotations"]["summary"]] == []
    assert len({rule["alert"] for rule in rules}) == len(rules)


def test_every_alert_has_an_example() -> None:
    rules = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"][0]["rules"]
    fired = {rule["alertname"] for test in examples() for rule in test["alert_rule_test"] if "exp_alerts" in rule}
    assert fired == {rule["alert"] for rule in rules}


def test_the_configuration_names_the_rules_and_the_written_targets() -> None:
    from helpdesk.embedded.metrics_ports import TARGETS

    configuration = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    assert configuration["rule_files"] == ["alerts.yml"]
    (job,) = configuration["scrape_configs"]
    assert job["file_sd_configs"][0]["files"][0].endswith(TARGETS)


def test_no_label_tells_one_company_from_another() -> None:
    labels = {
        label
        for collector in collectors()
        for label in getattr(collector, "_labelnames", ())
        if getattr(collector, "_name", "").startswith(OURS)
    } | {label for metric in our_metrics() for label in getattr(metric, "_labelnames", ())}
    assert labels >= {"route", "status", "kind", "channel", "outcome", "reason", "queue", "priority", "alias", "state"}
    assert [label for label in labels if FORBIDDEN_LABELS.search(label)] == []
