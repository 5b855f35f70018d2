"""Which models a company's callers may name: warm ones of its own assistants."""

from __future__ import annotations

import pytest

from conversations.models import Assistant
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.workers import ServedModel
from openai_api import catalogue
from openai_api.errors import ModelNotFound, NoModelReady
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db
FIRST, LARGE = ServedModel("", "Small-135M", "int4", True), ServedModel("large", "Big-8B", "int8", True)


@pytest.fixture
def tenant() -> Tenant:
    """A company whose own assistant uses the desk's first model, and another one the large model."""
    tenant = make_tenant()
    with tenant_atomic(tenant.id):
        Assistant.objects.create(name="Expert", model="large", is_default=False)
    return tenant


def serve(monkeypatch: pytest.MonkeyPatch, *models: ServedModel) -> None:
    monkeypatch.setattr(catalogue, "served_models", lambda: list(models))


def test_each_assistants_model_is_offered_by_its_name(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, FIRST, LARGE)
    with tenant_atomic(tenant.id):
        assert [model["id"] for model in catalogue.described()] == ["Small-135M", "large"]
        chosen = {name: catalogue.choose(name).assistant.name for name in ("default", "Small-135M", "large")}
        with pytest.raises(ModelNotFound):
            catalogue.choose("Big-8B")
    assert chosen == {"default": "Moss", "Small-135M": "Moss", "large": "Expert"}


def test_another_companys_models_are_not_offered(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, FIRST, LARGE)
    other = make_tenant()
    with tenant_atomic(other.id):
        assert [model["id"] for model in catalogue.described()] == ["Small-135M"]
        with pytest.raises(ModelNotFound):
            catalogue.choose("large")


def test_another_assistants_model_is_no_stand_in(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, ServedModel("", "Small-135M", "int4", False), LARGE)
    with tenant_atomic(tenant.id):
        assert catalogue.choose("large").assistant.name == "Expert"
        with pytest.raises(NoModelReady):
            catalogue.choose("default")


def test_without_a_warm_model_nothing_is_offered(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch)
    with tenant_atomic(tenant.id):
        assert catalogue.described() == []
        with pytest.raises(NoModelReady):
            catalogue.choose("Small-135M")
