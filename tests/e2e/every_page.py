"""Every kind of page that a person can reach by following links, one address each."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve
from playwright.sync_api import Page

# What is no page: files, and what signs the reader out.
NO_PAGES = ("logout", "export", "download", "csv", "jsonl", "openapi", "report_file")
MOST_VISITS = 200


def every_page(page: Page, base_url: str, starts: Iterable[str]) -> dict[str, str]:
    """Route to address, over links from `starts` (paths), at most MOST_VISITS pages away; as whoever `page` is signed in."""
    found: dict[str, str] = {}
    visited: set[str] = set()
    waiting = deque(starts)
    while waiting and len(visited) < MOST_VISITS:
        path = waiting.popleft()
        route = route_of(path)
        if route is None or route in visited:
            continue
        visited.add(route)
        response = page.goto(base_url + path)
        if response is None or response.status != 200 or "text/html" not in response.headers.get("content-type", ""):
            continue
        # A page that leads on at once is none of its own.
        if route_of(page.url.removeprefix(base_url)) == route:
            found[route] = path
        waiting.extend(links_of(page, base_url))
    return found


def links_of(page: Page, base_url: str) -> list[str]:
    """Paths of the page's links to this desk, the queries of lists included."""
    addresses: list[str] = page.eval_on_selector_all("a[href]:not([download])", "links => links.map(link => link.href)")
    own = [urlsplit(address) for address in addresses if address.startswith(base_url + "/")]
    return [f"{each.path}?{each.query}" if each.query else each.path for each in own]


def route_of(path: str) -> str | None:
    """The full name of the path's route; None where it leads to no page."""
    try:
        name = resolve(urlsplit(path).path).view_name
    except Resolver404:
        return None
    return None if any(each in name for each in NO_PAGES) else name
