"""`/v1`: what OpenAI's clients call. While an answer is waited for, no thread and no database connection is held."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine
from functools import wraps
from typing import Any, cast

import structlog
from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from chat_requests.chat_request import ChatRequest, read_chat_request
from helpdesk.api import idempotency
from helpdesk.api.errors import SERVERS_AWAY, UNAVAILABLE_RETRY_SECONDS, MethodNotAllowed, PartAway, UnknownRoute
from helpdesk.api.json_body import read_json_body
from helpdesk.api_keys.domain import ApiClient
from helpdesk.api_keys.errors import InvalidApiKey
from helpdesk.api_keys.scopes import Scope
from helpdesk.errors import GlassdeskError, TooManyRequests, Unavailable
from helpdesk.tenants.off_loop import give_back_request_thread, in_database
from helpdesk.tenants.scope import tenant_atomic
from openai_api import catalogue, completions
from openai_api.access import Caller, body_of, let_in, recognise_caller
from openai_api.asking import QueuedChoices, ask, stop
from openai_api.asking_once import Repeatable, ask_once, forget
from openai_api.completions import Heading
from openai_api.errors import AnswerWithdrawn, error_body
from openai_api.streaming import Exchange, answers_of, chunks

logger = structlog.get_logger(__name__)

# A stream that fails this early still gets a status of its own; later its error is an event.
FIRST_CHUNK_SECONDS = 10.0
HEARTBEAT_SECONDS = 15.0

View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]


def endpoint(method: str, scope: Scope | None) -> Callable[[View], View]:
    """A view for callers with a key of that scope; every refusal has OpenAI's error body."""

    def decorate(handler: View) -> View:
        @wraps(handler)
        async def view(request: HttpRequest, **arguments: str) -> HttpResponseBase:
            caller: Caller | None = None
            try:
                caller = await in_database(recognise_caller, request)
                let_in(caller, scope)
                if request.method != method:
                    raise MethodNotAllowed
                response = await handler(request, caller.client, **arguments)
            except GlassdeskError as error:
                response = error_response(error)
                if isinstance(error, MethodNotAllowed):
                    response["Allow"] = method
            except SERVERS_AWAY as error:
                logger.warning("openai_api_unavailable", error=type(error).__name__)
                response = error_response(PartAway())
            if caller is not None:
                caller.write_headers(response)
            response["Cache-Control"] = "no-store"
            return response

        # No cookie is ever looked at here: the key in the header is all.
        return cast(View, csrf_exempt(view))

    return decorate


def error_response(error: GlassdeskError) -> HttpResponseBase:
    """The error as OpenAI's clients read it."""
    response = JsonResponse(error_body(error), status=error.status)
    if isinstance(error, InvalidApiKey):
        response["WWW-Authenticate"] = 'Bearer realm="glassdesk"'
    if isinstance(error, TooManyRequests):
        response["Retry-After"] = str(error.retry_after)
    elif isinstance(error, Unavailable):
        response["Retry-After"] = str(UNAVAILABLE_RETRY_SECONDS)
    return response


@csrf_exempt
async def unknown_route(request: HttpRequest, **_: str) -> HttpResponseBase:
    """What answers below /v1/ when nothing else does."""
    response = error_response(UnknownRoute())
    response["Cache-Control"] = "no-store"
    return response


@endpoint("GET", None)
async def models(request: HttpRequest, client: ApiClient) -> HttpResponseBase:
    """The models that the caller may name."""
    return JsonResponse({"object": "list", "data": await in_database(_described_models, client)})


@endpoint("GET", None)
async def model(request: HttpRequest, client: ApiClient, *, name: str) -> HttpResponseBase:
    """One of them, or `default`."""
    return JsonResponse(await in_database(_described_model, client, name))


def _described_models(client: ApiClient) -> list[dict[str, Any]]:
    warm = catalogue.warm_models()
    with tenant_atomic(client.tenant_id):
        return catalogue.described(warm)


def _described_model(client: ApiClient, name: str) -> dict[str, Any]:
    warm = catalogue.warm_models()
    with tenant_atomic(client.tenant_id):
        return catalogue.described_model(name, warm)


@endpoint("POST", Scope.ANSWERS_WRITE)
async def chat_completions(request: HttpRequest, client: ApiClient) -> HttpResponseBase:
    """Answer the last message, in one piece or as it is written."""
    wanted, repeatable = await asyncio.to_thread(_read, request)
    asking = asyncio.ensure_future(
        in_database(ask, client, wanted) if repeatable is None else in_database(ask_once, client, wanted, repeatable)
    )
    try:
        asked = await asyncio.shield(asking)
    except asyncio.CancelledError:
        # The caller went away already; the thread goes on and stores a question that nobody waits for.
        if repeatable is None:
            await asyncio.shield(_abandon(asking))
        raise
    heading = Heading(f"chatcmpl-{asked.replies[0].reply_id.hex}", asked.created, asked.model)
    exchange = Exchange(client, wanted, asked, heading, repeatable)
    try:
        if wanted.stream:
            return _marked(await _streamed(exchange), asked)
        answers = await answers_of(exchange)
    except BaseException as error:
        # The caller went away, or one choice failed: nobody waits for the others.
        await asyncio.shield(_give_up(exchange, error))
        raise
    body = completions.completion(heading, answers, alternatives=wanted.logprobs)
    return _marked(JsonResponse(body, headers={"x-request-id": heading.id}), asked)


def _read(request: HttpRequest) -> tuple[ChatRequest, Repeatable | None]:
    """The request, and what makes it repeatable when it came with a key for that."""
    body, key = body_of(request), request.headers.get(idempotency.HEADER)
    wanted = read_chat_request(read_json_body(body))
    if key is None:
        return wanted, None
    return wanted, Repeatable(key, idempotency.request_digest("POST", request.get_full_path(), body))


def _marked(response: HttpResponseBase, asked: QueuedChoices) -> HttpResponseBase:
    if asked.is_repeated:
        response["Idempotent-Replayed"] = "true"
    return response


async def _streamed(exchange: Exchange) -> HttpResponseBase:
    """Begin to answer when the first text is there, or when it is clear that it takes a while."""
    events = chunks(exchange)
    coming = asyncio.ensure_future(anext(events))
    try:
        done, _ = await asyncio.wait([coming], timeout=FIRST_CHUNK_SECONDS)
        if done and (error := coming.exception()) is not None:
            raise error
    except BaseException:
        await _close(events, coming)
        raise
    headers = {
        "x-request-id": exchange.heading.id,
        # Without it a proxy in front collects the whole answer before it passes any of it on.
        "X-Accel-Buffering": "no",
    }
    return StreamingHttpResponse(_body(exchange, events, coming), content_type="text/event-stream", headers=headers)


async def _body(
    exchange: Exchange, events: AsyncGenerator[bytes, None], coming: asyncio.Future[bytes]
) -> AsyncGenerator[bytes, None]:
    """Chunks, a comment while nothing comes, and at the end the marker or one error."""
    # The middleware has had one since the waiting began.
    give_back_request_thread()
    end: BaseException | None = GeneratorExit()
    try:
        while True:
            done, _ = await asyncio.wait([coming], timeout=HEARTBEAT_SECONDS)
            if done:
                yield coming.result()
                coming = asyncio.ensure_future(anext(events))
            else:
                yield completions.WAITING
    except StopAsyncIteration:
        end = None
        yield completions.DONE
    except GlassdeskError as error:
        end = error
        yield completions.event(error_body(error))
    except SERVERS_AWAY as error:
        end = error
        logger.warning("openai_api_unavailable", error=type(error).__name__)
        yield completions.event(error_body(PartAway()))
    finally:
        await _close(events, coming)
        if end is not None:
            await asyncio.shield(_give_up(exchange, end))


async def _close(events: AsyncGenerator[bytes, None], coming: asyncio.Future[bytes]) -> None:
    coming.cancel()
    await asyncio.gather(coming, return_exceptions=True)
    await events.aclose()


async def _abandon(asking: asyncio.Future[QueuedChoices]) -> None:
    """Give up what is still being stored."""
    with contextlib.suppress(GlassdeskError, *SERVERS_AWAY):
        await in_database(stop, await asking)


async def _give_up(exchange: Exchange, why: BaseException) -> None:
    """End in the engine what nobody waits for any more; a database that is away leaves it to the deadline.

    A caller with an Idempotency-Key who went away is going to ask again, and gets the answer then. One that failed is
    forgotten, so that the same request may be tried again.
    """
    with contextlib.suppress(*SERVERS_AWAY):
        if exchange.repeatable is None:
            await in_database(stop, exchange.asked)
        elif isinstance(why, GlassdeskError) and not isinstance(why, AnswerWithdrawn):
            await in_database(forget, exchange.client, exchange.repeatable, exchange.asked)
            await in_database(stop, exchange.asked)
