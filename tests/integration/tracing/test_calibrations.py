"""The calibration in force: fitted by command, kept per tenant, applied to new answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant
from tests.unit.tracing.test_calibration import confidence, labelled
from tracing.calibrations import calibrated, in_force
from tracing.labels import append_labels, read_labels

pytestmark = pytest.mark.django_db


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.jsonl"
    append_labels(path, labelled(300))
    return path


def test_labels_come_back_as_they_were_written(labels: Path) -> None:
    assert read_labels([labels]) == labelled(300)


def test_the_command_puts_a_calibration_in_force_for_one_tenant_only(labels: Path, tmp_path: Path) -> None:
    tenant, other = make_tenant(), make_tenant()

    call_command("calibrate_confidence", labels=[labels], tenant=[tenant.slug], report=tmp_path / "confidence.md")

    with tenant_atomic(tenant.id):
        model = in_force()
    with tenant_atomic(other.id):
        assert in_force() is None
    assert model is not None
    found = calibrated(confidence(0.8, lead=0.29), model)
    assert (found.calibrated, found.calibration, found.band) == (True, model.version, "high")
    assert model.version in (tmp_path / "confidence.md").read_text(encoding="utf-8")
    assert (tmp_path / "confidence.svg").read_text(encoding="utf-8").count("<circle") == len(model.bins)


def test_without_a_calibration_nothing_changes() -> None:
    measured = confidence(0.8)

    assert calibrated(measured, None) is measured
    assert measured.calibrated is False


def test_bad_files_and_unknown_companies_are_named(labels: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text(labels.read_text(encoding="utf-8").splitlines()[0] + "\n{}\n", encoding="utf-8")

    with pytest.raises(CommandError, match="line 2"):
        call_command("calibrate_confidence", labels=[bad])
    with pytest.raises(CommandError, match="no company"):
        call_command("calibrate_confidence", labels=[labels], tenant=["nobody"])
