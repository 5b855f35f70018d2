"""How often a key and its tenant may call: fixed windows of a minute, counted in Redis. Without Redis nothing is counted."""

from __future__ import annotations

import time
from dataclasses import dataclass

import redis
import structlog
from django.conf import settings
from django.http.response import HttpResponseBase

from helpdesk.api_keys.domain import ApiClient
from helpdesk.streams.writer import client as redis_client

logger = structlog.get_logger(__name__)

WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Quota:
    """Where a caller stands in this window: of its key's and its tenant's limit, the one with less left."""

    limit: int
    used: int
    reset_seconds: int

    @property
    def is_exceeded(self) -> bool:
        return self.used > self.limit

    def write_headers(self, response: HttpResponseBase) -> None:
        """The fields of draft-ietf-httpapi-ratelimit-headers (version 6, whose names clients know)."""
        response["RateLimit-Limit"] = str(self.limit)
        response["RateLimit-Remaining"] = str(max(0, self.limit - self.used))
        response["RateLimit-Reset"] = str(self.reset_seconds)


def count_request(client: ApiClient) -> Quota | None:
    """Count one request of this client; None when Redis is away."""
    now = time.time()
    window = int(now // WINDOW_SECONDS)
    keys = [f"glassdesk:rate:key:{client.key_id}:{window}", f"glassdesk:rate:tenant:{client.tenant_id}:{window}"]
    limits = [
        client.requests_per_minute or settings.API_KEY_REQUESTS_PER_MINUTE,
        settings.API_TENANT_REQUESTS_PER_MINUTE,
    ]
    try:
        with redis_client().pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.incr(key)
                pipeline.expire(key, 2 * WINDOW_SECONDS)
            used = [int(count) for count in pipeline.execute()[::2]]
    except redis.RedisError as error:
        logger.warning("rate_limit_unavailable", error=type(error).__name__)
        return None
    reset = max(1, WINDOW_SECONDS - int(now % WINDOW_SECONDS))
    quotas = [Quota(limit, count, reset) for limit, count in zip(limits, used, strict=True)]
    return min(quotas, key=lambda quota: quota.limit - quota.used)
