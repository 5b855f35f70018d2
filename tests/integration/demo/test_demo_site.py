"""The stand-in shops: they need no database and embed the widget in one line."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client

from helpdesk.demo.shops import shop, shops
from helpdesk.demo.tenants import DEMO_TENANTS
from tests.conftest import ROOT

SLUGS = [tenant.slug for tenant in DEMO_TENANTS]


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize(("language", "tag"), [("en", "en"), ("zh", "zh-Hans")])
def test_site_shows_the_shop_in_the_language(client: Client, slug: str, language: str, tag: str) -> None:
    response = client.get(f"/demo/{slug}/", {"language": language})
    page = response.content.decode()
    shown = shop(slug, language)
    assert shown is not None
    assert response.status_code == 200
    assert f'<html lang="{tag}">' in page
    assert [product.name for product in shown.products if product.name not in page] == []


def test_site_embeds_the_widget_with_one_script(client: Client) -> None:
    page = client.get("/demo/mossgate/", {"language": "zh"}).content.decode()
    snippet = re.findall(r"<script[^>]*></script>", page)
    assert len(snippet) == 1
    assert dict(re.findall(r'(data-[\w-]+|src)="([^"]*)"', snippet[0])) == {
        "src": "/static/widget/loader.js",
        "data-tenant": "mossgate",
        "data-language": "zh",
        "data-accent": "#2f6b3c",
        "data-contact": "help@mossgate.example",
    }


@pytest.mark.parametrize("path", ["/demo/", *[f"/demo/{slug}/" for slug in SLUGS]])
def test_pages_hold_nothing_inline_and_nothing_foreign(client: Client, path: str) -> None:
    page = client.get(path).content.decode()
    assert re.findall(r"\sstyle=|<style|\son\w+=|<script>|https?://", page) == []


def test_index_leads_to_every_shop_and_to_the_desk(client: Client) -> None:
    page = client.get("/demo/", {"language": "en"}).content.decode()
    hrefs = re.findall(r'class="door[^"]*"\s+href="([^"]+)"', page)
    assert hrefs == [*[f"/demo/{slug}/?language=en" for slug in SLUGS], "/desk/"]


def test_unknown_company_is_not_found(client: Client) -> None:
    assert client.get("/demo/nobody/").status_code == 404
    assert shop("nobody", "en") is None


def test_unknown_language_falls_back(client: Client) -> None:
    page = client.get("/demo/mossgate/", {"language": "xx"}, headers={"accept-language": "zh-CN"}).content.decode()
    assert '<html lang="zh-Hans">' in page


def test_every_shop_has_its_pictures_and_its_accent_in_the_stylesheet() -> None:
    css = (ROOT / "static" / "demo" / "demo.css").read_text(encoding="utf-8")
    for found in shops("en"):
        assert f".shop-{found.slug} {{" in css
        assert found.accent.lower() in css.lower()
        pictures = [found.picture, *[product.picture for product in found.products]]
        assert [name for name in pictures if not (ROOT / "static" / name).is_file()] == []


def test_content_files_name_every_demo_company() -> None:
    folder = ROOT / "helpdesk" / "demo" / "content"
    assert sorted(path.parent.name for path in folder.glob("*/shop.json")) == sorted(SLUGS)
    for slug in SLUGS:
        assert json.loads((folder / slug / "shop.json").read_text(encoding="utf-8"))["products"]
