"""Rotating keys: everything still opens, also when it is cut off, and the old master key is needed no more."""

from __future__ import annotations

import base64
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from conversations.domain import begin_visit
from helpdesk.crypto import SealError
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant
from tests.integration.tracing.format1 import make_format1_trace
from tests.integration.tracing.rows import make_trace, trace_now
from tests.services import MASTER_KEY
from tests.unit.tracing.samples import make_content
from tracing import keys, rotate
from tracing.models import DataKey, KeyEvent, KeyPurpose
from tracing.opening import content_of
from tracing.rotate import rotate_keys
from tracing.verify import verify_chain

pytestmark = pytest.mark.django_db(transaction=True)
NEW_MASTER_KEY = base64.b64encode(b"another-master-key-of-32-bytes!!").decode()


@pytest.fixture(autouse=True)
def empty_key_cache():
    keys.cache.clear()


@pytest.fixture
def tenant():
    return make_tenant()


def assert_all_open(tenant, traces):
    keys.cache.clear()
    for trace in traces:
        current = trace_now(trace.id, tenant)
        with tenant_atomic(tenant.id):
            assert content_of(current) == make_content()
    with tenant_atomic(tenant.id):
        assert verify_chain(None).is_sound


def events_of(tenant):
    with tenant_atomic(tenant.id):
        return list(KeyEvent.objects.order_by("sequence").values_list("kind", flat=True))


def test_traces_of_both_formats_open_under_a_new_master_key_without_the_old_one(tenant, settings):
    traces = [make_format1_trace(tenant), make_trace(tenant), make_trace(tenant)]
    sealed = [bytes(trace.sealed) for trace in traces]
    settings.MASTER_KEY, settings.PREVIOUS_MASTER_KEYS = NEW_MASTER_KEY, f"{MASTER_KEY},"
    assert_all_open(tenant, traces)
    rotation = rotate_keys(tenant.id)
    # The chain's, the tenant's and the format 1 content key; then one key for each of two customers.
    assert (rotation.by_master, rotation.by_tenant, rotation.retired, rotation.resumed) == (3, 2, 3, False)
    settings.PREVIOUS_MASTER_KEYS = ""
    assert_all_open(tenant, traces)
    assert [bytes(trace_now(trace.id, tenant).sealed) for trace in traces] == sealed
    assert events_of(tenant) == ["rotation_begun", "rotated"]


def test_new_traces_of_the_same_customer_get_a_new_key_and_old_ones_keep_theirs(tenant):
    visitor = begin_visit(tenant.id)
    old = make_trace(tenant, visitor_id=visitor)
    rotate_keys(tenant.id)
    new = make_trace(tenant, visitor_id=visitor)
    assert old.key_id != new.key_id
    assert_all_open(tenant, [old, new])
    with tenant_atomic(tenant.id):
        assert DataKey.objects.get(id=old.key_id).parent == DataKey.objects.get(id=new.key_id).parent


@pytest.mark.parametrize("survives", range(4))
def test_a_rotation_that_is_cut_off_between_rows_is_finished_by_the_next_run(tenant, settings, monkeypatch, survives):
    visitor = begin_visit(tenant.id)
    traces = [make_trace(tenant, visitor_id=visitor), make_trace(tenant)]
    settings.MASTER_KEY, settings.PREVIOUS_MASTER_KEYS = NEW_MASTER_KEY, MASTER_KEY
    done, real = [], rotate._rewrap

    def cut_off(*args, **kwargs):
        if len(done) == survives:
            raise KeyboardInterrupt
        real(*args, **kwargs)
        done.append(args)

    monkeypatch.setattr(rotate, "_rewrap", cut_off)
    with pytest.raises(KeyboardInterrupt):
        rotate_keys(tenant.id)
    traces.append(make_trace(tenant, visitor_id=visitor))
    assert_all_open(tenant, traces)
    monkeypatch.setattr(rotate, "_rewrap", real)
    rotation = rotate_keys(tenant.id)
    assert (rotation.resumed, rotation.by_master + rotation.by_tenant) == (True, 4 - survives)
    settings.PREVIOUS_MASTER_KEYS = ""
    assert_all_open(tenant, traces)
    assert events_of(tenant) == ["rotation_begun", "rotated"]


def test_a_trace_that_is_written_while_keys_are_rewrapped_opens(tenant, monkeypatch):
    visitor = begin_visit(tenant.id)
    traces, real = [make_trace(tenant, visitor_id=visitor)], rotate._rewrap

    def answer_meanwhile(*args, **kwargs):
        traces.append(make_trace(tenant, visitor_id=visitor))
        real(*args, **kwargs)
        traces.append(make_trace(tenant))

    monkeypatch.setattr(rotate, "_rewrap", answer_meanwhile)
    rotate_keys(tenant.id)
    assert len(traces) > 2
    assert_all_open(tenant, traces)


def test_the_second_next_rotation_destroys_the_old_tenant_key(tenant):
    traces = [make_trace(tenant)]
    rotations = [rotate_keys(tenant.id) for _ in range(2)]
    assert [rotation.destroyed for rotation in rotations] == [0, 1]
    assert_all_open(tenant, traces)


def test_a_rotation_without_the_master_key_that_wrapped_fails_and_says_so(tenant, settings):
    make_trace(tenant)
    settings.MASTER_KEY = NEW_MASTER_KEY
    with pytest.raises(SealError, match="not configured"):
        rotate_keys(tenant.id)
    assert events_of(tenant) == []


def test_rotate_keys_prints_json_and_leaves_other_tenants_alone(tenant):
    other = make_tenant()
    stranger = make_trace(other)
    make_trace(tenant)
    out = StringIO()
    call_command("rotate_keys", tenant.slug, "--json", stdout=out)
    printed = json.loads(out.getvalue())
    assert (printed["tenant"], printed["by_tenant"], printed["resumed"]) == (tenant.slug, 1, False)
    with tenant_atomic(other.id):
        assert (KeyEvent.objects.count(), DataKey.objects.get(id=stranger.key_id).retired_at) == (0, None)
    with pytest.raises(CommandError, match="no tenant nowhere"):
        call_command("rotate_keys", "nowhere")


class ServiceDouble:
    """A key management service: keys by name, the newest wraps; counts what it is asked."""

    keys = {"key/1": b"1" * 32, "key/2": b"2" * 32}
    current = "key/1"
    is_up = True
    unwraps = 0

    @property
    def key_id(self):
        return type(self).current

    def wrap(self, key, associated):
        from helpdesk import crypto

        return crypto.seal(self.keys[self.key_id], key, associated)

    def unwrap(self, wrapped, associated, *, key_id):
        from helpdesk import crypto

        if not type(self).is_up:
            raise ConnectionError("the service is away")
        type(self).unwraps += 1
        return crypto.unseal(self.keys[key_id], wrapped, associated)


@pytest.fixture
def service(settings, monkeypatch):
    settings.MASTER_KEY_PROVIDER = f"{__name__}.ServiceDouble"
    settings.MASTER_KEY = ""
    for name, value in {"current": "key/1", "is_up": True, "unwraps": 0}.items():
        monkeypatch.setattr(ServiceDouble, name, value)
    return ServiceDouble


def test_a_key_management_service_wraps_rotates_and_is_asked_rarely(tenant, service):
    visitor = begin_visit(tenant.id)
    traces = [make_trace(tenant, visitor_id=visitor) for _ in range(3)]
    assert service.unwraps == 2  # the chain's and the tenant's key
    service.current = "key/2"
    rotate_keys(tenant.id)
    with tenant_atomic(tenant.id):
        named = DataKey.objects.filter(parent=None, wrapped__gt=b"").values_list("master_key_id", flat=True)
        assert set(named) == {"key/2"}
    assert_all_open(tenant, traces)


def test_a_service_that_is_away_fails_closed(tenant, service):
    trace = make_trace(tenant)
    keys.cache.clear()
    service.is_up = False
    with tenant_atomic(tenant.id), pytest.raises(SealError, match="ConnectionError"):
        content_of(trace_now(trace.id, tenant))
    with pytest.raises(SealError):
        make_trace(tenant)


@pytest.mark.parametrize("path", ["nowhere.Provider", "helpdesk.master_keys.MAX_KEY_ID"])
def test_a_provider_that_cannot_be_made_fails_closed(tenant, settings, path):
    settings.MASTER_KEY_PROVIDER = path
    with pytest.raises(SealError):
        make_trace(tenant)


def test_a_customers_key_opens_only_in_its_own_row_for_its_own_customer(tenant):
    first, second = (make_trace(tenant) for _ in range(2))
    with tenant_atomic(tenant.id):
        rows = [keys.stored_key(trace.key_id) for trace in (first, second)]
        keys.cache.clear()
        rows[0].visitor_id, rows[1].wrapped = rows[1].visitor_id, rows[0].wrapped
        for row in rows:
            with pytest.raises(SealError):
                keys.unwrapped(row)


def test_keys_of_another_tenant_are_out_of_reach(tenant):
    make_trace(tenant)
    with tenant_atomic(tenant.id):
        ids = set(DataKey.objects.values_list("id", flat=True))
    with tenant_atomic(make_tenant().id):
        assert not DataKey.objects.filter(id__in=ids).exists()
        for key_id in ids:
            with pytest.raises(SealError):
                keys.stored_key(key_id)
        assert KeyPurpose.TENANT not in DataKey.objects.values_list("purpose", flat=True)
