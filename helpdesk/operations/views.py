"""The page about models. It shows no tenant's data, and is the same for all of them."""

from __future__ import annotations

import json

import redis
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from helpdesk.errors import Unavailable
from helpdesk.operations.register import age_words, worker_row
from helpdesk.permissions import Right
from helpdesk.queue.workers import read_workers
from helpdesk.users.access import DeskRequest, desk_view


@require_safe
@desk_view(Right.SEE_MODELS)
def models(request: DeskRequest) -> HttpResponse:
    """Every worker with its model, state and load log. Raises Unavailable while Redis is away."""
    try:
        workers = read_workers()
    except (redis.RedisError, json.JSONDecodeError) as error:
        raise Unavailable from error
    rows = [(worker_row(worker), age_words(worker.started_at), age_words(worker.at)) for worker in workers]
    return render(request, "operations/models.html", {"rows": rows})
