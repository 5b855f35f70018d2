"""Files that say by their places that they are one article in two languages: `en/returns.md` and `zh/returns.md`."""

from __future__ import annotations

import uuid
from collections import defaultdict
from pathlib import PurePosixPath
from uuid import UUID

from helpdesk.tenants.scope import tenant_atomic
from knowledge.models import Article
from knowledge.sources.language_tags import is_language_place


def place_without_language(path: str) -> str:
    """The path without the folders and endings that name a language; the same for both languages' files."""
    place = PurePosixPath(path.casefold())
    folders = [part for part in place.parts[:-1] if not is_language_place(part)]
    words = [part for part in place.stem.split(".") if not is_language_place(part)] or [place.stem]
    return "/".join([*folders, ".".join(words)])


def link_by_place(*, tenant_id: UUID, source: str) -> int:
    """Link a source's articles that are not linked and are the only two of their place; returns how many pairs were made."""
    with tenant_atomic(tenant_id):
        places: dict[str, list[tuple[UUID, str]]] = defaultdict(list)
        found = Article.objects.select_for_update().filter(source=source, pair=None).exclude(path="").order_by("pk")
        for article_id, language, path in found.values_list("pk", "language", "path"):
            places[place_without_language(path)].append((article_id, language))
        pairs = [rows for rows in places.values() if len(rows) == 2 and rows[0][1] != rows[1][1]]
        for rows in pairs:
            Article.objects.filter(pk__in=[article_id for article_id, _language in rows]).update(pair=uuid.uuid4())
        return len(pairs)
