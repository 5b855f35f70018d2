"""Static files as browsers get them: compressed, and the chat's panel in two files."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.http import FileResponse
from django.test import Client

from helpdesk.settings import STATIC_BUNDLES
from helpdesk.web.static_files import StaticFilesMiddleware, bundle_url, kept_folder
from tests.conftest import ROOT
from tests.factories import make_tenant

STATIC = ROOT / "static"
TEXTS = sorted(str(file.relative_to(STATIC)) for file in STATIC.rglob("*") if file.suffix in {".js", ".css", ".svg"})
GZIP = {"HTTP_ACCEPT_ENCODING": "gzip, deflate, br"}


def content_of(response: FileResponse) -> bytes:
    return b"".join(response.streaming_content)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [name for name in TEXTS if (STATIC / name).stat().st_size > 1024])
def test_every_text_of_ours_is_compressed(name: str, client: Client) -> None:
    response = client.get(f"/static/{name}", **GZIP)
    assert (response.status_code, response["Content-Encoding"], response["Vary"]) == (200, "gzip", "Accept-Encoding")
    sent = content_of(response)
    assert int(response["Content-Length"]) == len(sent) < 0.8 * (STATIC / name).stat().st_size
    assert gzip.decompress(sent) == (STATIC / name).read_bytes()


def test_who_takes_nothing_compressed_gets_the_file_itself(client: Client) -> None:
    response = client.get("/static/widget/loader.js")
    assert (response.has_header("Content-Encoding"), response["Vary"]) == (False, "Accept-Encoding")
    assert content_of(response) == (STATIC / "widget/loader.js").read_bytes()
    assert response["Access-Control-Allow-Origin"] == "*"


def test_a_picture_is_left_as_it_is(client: Client) -> None:
    response = client.get("/static/fonts/figtree-latin.woff2", **GZIP)
    assert (response.status_code, response.has_header("Content-Encoding")) == (200, False)


@pytest.mark.django_db(transaction=True)
def test_the_panel_is_one_script_and_one_style_sheet_that_are_kept_for_good(client: Client) -> None:
    page = client.get(f"/widget/{make_tenant().slug}/frame").content.decode()
    parts = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert parts == [bundle_url("widget/panel.css"), bundle_url("widget/panel.js")]
    for part in parts:
        response = client.get(part, **GZIP)
        assert (response.status_code, response["Content-Encoding"]) == (200, "gzip")
        assert response["Cache-Control"].endswith("immutable")
        assert len(content_of(response)) < 50_000


def test_a_bundle_s_fonts_are_where_it_says(client: Client) -> None:
    sheet = content_of(client.get(bundle_url("widget/panel.css"))).decode()
    fonts = set(re.findall(r'url\("\.\./(fonts/[^"]+)"\)', sheet))
    assert len(fonts) == 2
    assert {client.get(f"/static/{font}").status_code for font in fonts} == {200}


@pytest.mark.parametrize("name", STATIC_BUNDLES)
def test_only_a_bundle_may_be_kept_for_good(name: str, client: Client) -> None:
    assert "immutable" not in client.get("/static/widget/loader.js")["Cache-Control"]
    assert client.get(f"/static/{name}").status_code == 404


def test_a_folder_that_cannot_be_written_to_costs_nothing_but_time(settings, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "file").write_text("no folder")
    settings.DATA_DIR = tmp_path / "file"
    kept_folder.cache_clear()
    try:
        middleware = StaticFilesMiddleware(lambda request: None)
        (file,) = [file for url, file in middleware.files.items() if url == "/static/widget/loader.js"]
        assert len(file.alternatives) == 2
    finally:
        kept_folder.cache_clear()
