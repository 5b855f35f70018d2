"""Lists in pages: `{"data": [...], "next": url or null}`. Pages follow keys, so that new rows shift nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from helpdesk.errors import InvalidInput

Row = TypeVar("Row", bound=Model)

PAGE_QUERY = ("limit", "cursor")
DEFAULT_LIMIT = 20
MAX_LIMIT = 100


def page_response(
    request: Request,
    rows: QuerySet[Row],
    describe: Callable[[Row], Any],
    *,
    order: Sequence[str] = ("-created_at", "-id"),
    max_limit: int = MAX_LIMIT,
) -> Response:
    """The page that `?limit=` and `?cursor=` ask for. `order` ends in a unique field; all go the same way.

    Raises InvalidInput for a limit or cursor that cannot be.
    """
    limit = requested_limit(request, max_limit=max_limit)
    descending = order[0].startswith("-")
    names = [name.lstrip("-") for name in order]
    salt = f"glassdesk.cursor:{request.path}"
    cursor = request.query_params.get("cursor")
    if cursor:
        rows = rows.filter(_behind(rows.model, names, _read(cursor, salt), descending=descending))
    found = list(rows.order_by(*order)[: limit + 1])
    shown = found[:limit]
    following = None
    if len(found) > limit:
        last = [str(_plain(getattr(shown[-1], name))) for name in names]
        query = request.query_params.copy()
        query["cursor"] = signing.dumps(last, salt=salt, compress=True)
        following = request.build_absolute_uri(f"{request.path}?{urlencode(list(query.items()))}")
    return Response({"data": [describe(row) for row in shown], "next": following})


def requested_limit(request: Request, *, max_limit: int = MAX_LIMIT) -> int:
    """The number of rows wanted; raises InvalidInput."""
    raw = request.query_params.get("limit", str(min(DEFAULT_LIMIT, max_limit)))
    if not (raw.isascii() and raw.isdigit() and len(raw) < 7 and 1 <= int(raw) <= max_limit):
        raise InvalidInput(_("“limit” must be a number from 1 to %(most)d.") % {"most": max_limit}, parameter="limit")
    return int(raw)


def _read(cursor: str, salt: str) -> list[str]:
    try:
        return list(signing.loads(cursor, salt=salt))
    except (signing.BadSignature, TypeError, ValueError) as error:
        raise InvalidInput(
            _("This cursor doesn't belong to this list. Use “next” exactly as returned."), parameter="cursor"
        ) from error


def _behind(model: type[Model], names: Sequence[str], values: Sequence[str], *, descending: bool) -> Q:
    """Rows after the one with these values, in the order of the fields."""
    comparison = "lt" if descending else "gt"
    condition, equal = Q(pk__in=[]), Q()
    try:
        for name, value in zip(names, values, strict=True):
            field: Any = model._meta.get_field(name)
            python = field.to_python(value)
            condition |= equal & Q(**{f"{name}__{comparison}": python})
            equal &= Q(**{name: python})
    except (ValidationError, ValueError) as error:
        raise InvalidInput(parameter="cursor") from error
    return condition


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
