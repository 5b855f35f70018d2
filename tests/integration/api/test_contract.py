"""The served description against the served endpoints: schemathesis asks whatever the description allows, and worse."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from conversations import replies
from conversations.models import Outcome
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from knowledge.domain import publish_article, save_article
from tests.api_access import api_call
from tests.factories import make_api_key, make_tenant
from tests.integration.tracing.rows import make_trace

pytestmark = pytest.mark.django_db(transaction=True)

SCHEMA = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
OPERATIONS = [result.ok() for result in SCHEMA.get_all_operations()]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 12


@pytest.fixture
def tenant(settings: Any) -> Tenant:
    settings.API_TENANT_REQUESTS_PER_MINUTE = 1_000_000
    return make_tenant()


def known_ids(tenant: Tenant, key: str) -> dict[str, str]:
    """Rows for the addresses: of ids that do not exist every answer is 404."""
    conversation = api_call("POST", "/api/v1/conversations", key, {"customer": "c-1"}).json()["id"]
    asked = api_call("POST", f"/api/v1/conversations/{conversation}/messages", key, {"body": "Hello?"}).json()
    with tenant_atomic(tenant.id):
        claimed = replies.claim_reply(tenant_id=tenant.id, reply_id=asked["reply"]["id"], worker="test")
        assert claimed is not None
        replies.finish_reply(claimed.reply, replies.Answer("Hello.", "en", Outcome.ANSWERED, seconds=1.0))
    trace = make_trace(tenant)
    batch = api_call("POST", "/api/v1/batches", key, {"items": [{"question": "Hello?"}]}).json()["id"]
    version = save_article(tenant_id=tenant.id, title=f"Title {conversation}", body="Some text.", language="en")
    publish_article(tenant_id=tenant.id, article_id=version.article_id)
    return {
        "conversation_id": conversation,
        "reply_id": asked["reply"]["id"],
        "article_id": str(version.article_id),
        "batch_id": batch,
        "trace_id": str(trace.id),
    }


def without_waiting(case: Any) -> None:
    """Nobody answers in this test, so that waiting would only take time."""
    if isinstance(case.body, dict) and isinstance(case.body.get("wait"), int):
        case.body["wait"] = min(case.body["wait"], 0)
    if case.headers:
        case.headers.pop("Prefer", None)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_an_endpoint_answers_as_it_is_described(operation: Any, mode: GenerationMode, tenant: Tenant) -> None:
    key = make_api_key(tenant, requests_per_minute=100_000)
    ids = known_ids(tenant, key)
    asked = 0

    @given(case=operation.as_strategy(generation_mode=mode))
    @hypothesis_settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    def ask(case: Any) -> None:
        nonlocal asked
        asked += 1
        without_waiting(case)
        if mode == GenerationMode.POSITIVE and asked % 2:
            case.path_parameters = {name: ids.get(name, value) for name, value in (case.path_parameters or {}).items()}
        case.call_and_validate(headers={"Authorization": f"Bearer {key}"}, checks=CHECKS)

    ask()
    assert asked
