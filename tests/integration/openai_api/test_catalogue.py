"""Which models a company's callers may name: warm ones of its own assistants."""

from __future__ import annotations

import pytest
from django.test import Client

from conversations.models import Assistant
from helpdesk.queue.workers import ServedModel
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from openai_api import catalogue
from openai_api.catalogue import warm_models
from openai_api.errors import ModelNotFound, NoModelReady
from tests.factories import make_api_key, make_tenant

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
        assert [model["id"] for model in catalogue.described(warm_models())] == ["Small-135M", "large"]
        chosen = {
            name: catalogue.choose(name, warm_models()).assistant.name for name in ("default", "Small-135M", "large")
        }
        with pytest.raises(ModelNotFound):
            catalogue.choose("Big-8B", warm_models())
    assert chosen == {"default": "Moss", "Small-135M": "Moss", "large": "Expert"}


def test_whatever_can_be_named_is_described_under_that_name(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, FIRST, LARGE)
    with tenant_atomic(tenant.id):
        listed = catalogue.described(warm_models())
        assert [catalogue.described_model(model["id"], warm_models()) for model in listed] == listed
        assert catalogue.described_model("default", warm_models()) == {**listed[0], "id": "default"}
        with pytest.raises(ModelNotFound):
            catalogue.described_model("Big-8B", warm_models())
        serve(monkeypatch)
        with pytest.raises(NoModelReady):
            catalogue.described_model("default", warm_models())


@pytest.mark.django_db(transaction=True)
def test_models_are_read_by_their_names_also_with_a_slash_inside(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_name = ServedModel("", "Qwen/Qwen1.5-1.8B", "int4", True)
    serve(monkeypatch, hub_name, LARGE)
    headers = {"Authorization": f"Bearer {make_api_key(tenant)}"}
    for name, path in (("Qwen/Qwen1.5-1.8B",) * 2, ("Qwen/Qwen1.5-1.8B", "Qwen%2FQwen1.5-1.8B"), ("default",) * 2):
        response = Client().get(f"/v1/models/{path}", headers=headers)
        assert (response.status_code, response.json()["id"]) == (200, name)
    response = Client().get("/v1/models/gpt-4o", headers=headers)
    assert response.status_code == 404
    error = response.json()["error"]
    assert error.pop("message")
    assert error == {"type": "invalid_request_error", "param": "model", "code": "model_not_found"}


def test_another_companys_models_are_not_offered(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, FIRST, LARGE)
    other = make_tenant()
    with tenant_atomic(other.id):
        assert [model["id"] for model in catalogue.described(warm_models())] == ["Small-135M"]
        with pytest.raises(ModelNotFound):
            catalogue.choose("large", warm_models())


def test_another_assistants_model_is_no_stand_in(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, ServedModel("", "Small-135M", "int4", False), LARGE)
    with tenant_atomic(tenant.id):
        assert catalogue.choose("large", warm_models()).assistant.name == "Expert"
        with pytest.raises(NoModelReady):
            catalogue.choose("default", warm_models())


def test_without_a_warm_model_nothing_is_offered(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch)
    with tenant_atomic(tenant.id):
        assert catalogue.described(warm_models()) == []
        with pytest.raises(NoModelReady):
            catalogue.choose("Small-135M", warm_models())
