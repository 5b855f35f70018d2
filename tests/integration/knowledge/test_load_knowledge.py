"""`manage.py load_knowledge`: folders of Markdown become articles; bad files are named one by one."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DataError

from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from knowledge import passages
from knowledge.chunking.chunks import Passage
from knowledge.domain import archive_article, save_article
from knowledge.models import Article, ArticleStatus, ArticleVersion
from knowledge.sources import importing
from knowledge.sources.article_files import ArticleFile
from tests.factories import make_tenant
from tests.integration.knowledge.articles import find, publish, titles

pytestmark = pytest.mark.django_db

RETURNS = "---\ntitle: Returns\ncategory: Orders\n---\nCustomers may return unused pots within thirty days.\n"


def load(tenant: Tenant, folder: Path) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("load_knowledge", tenant.slug, str(folder), stdout=out, stderr=err)
    return out.getvalue().splitlines()[0], err.getvalue()


def versions(tenant: Tenant) -> list[tuple[str, str, int]]:
    with tenant_atomic(tenant.id):
        rows = ArticleVersion.objects.order_by("article__slug", "article__language", "number")
        return list(rows.values_list("article__slug", "article__language", "number"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "zh").mkdir()
    (tmp_path / "returns.md").write_text(RETURNS, encoding="utf-8")
    (tmp_path / "zh" / "returns.md").write_text("---\ntitle: 退货\n---\n三十天内可以退货。\n", encoding="utf-8")
    (tmp_path / ".draft.md").write_text(RETURNS, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not an article", encoding="utf-8")
    return tmp_path


def test_a_folder_is_published_in_its_languages(folder: Path) -> None:
    tenant = make_tenant()
    assert load(tenant, folder)[0] == "2 published, 0 unchanged."
    assert versions(tenant) == [("returns", "en", 1), ("returns", "zh", 1)]
    assert titles(find(tenant, "Can I return pots?", by_meaning=False)) == ["Returns"]
    assert titles(find(tenant, "可以退货吗？", by_meaning=False)) == ["退货"]


def test_loading_again_changes_only_what_changed(folder: Path) -> None:
    tenant = make_tenant()
    load(tenant, folder)
    assert load(tenant, folder)[0] == "0 published, 2 unchanged."
    (folder / "returns.md").write_text(f"{RETURNS}Or sixty.\n", encoding="utf-8")
    assert load(tenant, folder)[0] == "1 published, 1 unchanged."
    assert versions(tenant) == [("returns", "en", 1), ("returns", "en", 2), ("returns", "zh", 1)]


def test_loading_the_same_again_writes_nothing(folder: Path) -> None:
    tenant = make_tenant()
    load(tenant, folder)
    with tenant_atomic(tenant.id):
        before = set(Article.objects.values_list("slug", "language", "updated_at"))
    load(tenant, folder)
    with tenant_atomic(tenant.id):
        assert set(Article.objects.values_list("slug", "language", "updated_at")) == before


def test_a_published_article_with_a_newer_draft_is_loaded_again(folder: Path) -> None:
    tenant = make_tenant()
    load(tenant, folder)
    with tenant_atomic(tenant.id):
        article = Article.objects.get(slug="returns", language="en")
        save_article(tenant_id=tenant.id, article_id=article.pk, title="Returns", body="A draft.", language="en")
    assert load(tenant, folder)[0] == "1 published, 1 unchanged."


def test_an_archived_article_stays_archived(folder: Path) -> None:
    tenant = make_tenant()
    load(tenant, folder)
    with tenant_atomic(tenant.id):
        article = Article.objects.get(language="en")
    archive_article(tenant_id=tenant.id, article_id=article.pk)
    assert load(tenant, folder)[0] == "0 published, 1 unchanged, 1 left archived."
    with tenant_atomic(tenant.id):
        assert Article.objects.get(pk=article.pk).status == ArticleStatus.ARCHIVED


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"No front matter.", "it has no title: begin it with a heading (# Title) or with front matter"),
        (b"---\ntitle: Empty\n---\n\n", "it has a title but no text"),
        (b"---\ntitle: [unclosed\n---\nText.\n", "its front matter is not valid YAML"),
        (b"---\ntitle: French\nlanguage: fr\n---\nBonjour.\n", "its language is 'fr'; use en or zh"),
        (b"---\ntitle: Binary\n---\n\x00\x01", "it is a binary file, not text"),
        (b"---\ntitle: Latin\n---\ncaf\xe9\n", "it is not UTF-8 text (byte 24); save it as UTF-8"),
        (b"---\ntitle: Long\n---\n" + b"long " * 50_000, "An article can have up to 200000 characters. Split it"),
        (b"---\ntitle: Picture\n---\n<!-- to be written -->\n", "Nothing in this text can be quoted"),
        (b"x" * 1_000_001, "it has 1,000,001 bytes; the limit is 1,000,000"),
    ],
    ids=["no-title", "no-text", "bad-yaml", "language", "binary", "encoding", "long", "nothing-to-quote", "huge"],
)
def test_a_bad_file_is_named_and_skipped(folder: Path, content: bytes, reason: str) -> None:
    tenant = make_tenant()
    (folder / "bad.md").write_bytes(content)
    out, err = load(tenant, folder)
    assert out == "2 published, 0 unchanged, 1 skipped."
    (line,) = [line for line in err.splitlines() if line.startswith("Skipped")]
    assert line.startswith(f"Skipped bad.md: {reason}")
    assert len(versions(tenant)) == 2


def test_the_summary_counts_what_exists(folder: Path) -> None:
    tenant = make_tenant()
    publish(tenant, "Written in the desk", "By hand.")
    (folder / "bad.md").write_text("Nothing.", encoding="utf-8")
    out, err = StringIO(), StringIO()
    call_command("load_knowledge", tenant.slug, str(folder), "--source", "handbook", stdout=out, stderr=err)
    assert out.getvalue().splitlines() == [
        "2 published, 0 unchanged, 1 skipped.",
        f"{tenant.slug} has 3 published articles now, 2 of them of 'handbook'.",
    ]
    assert "Not read: 1 .txt, 1 hidden. Articles are files that end in .md, .markdown or .mdx." in err.getvalue()
    (folder / "returns.md").unlink()
    out.truncate(0)
    call_command("load_knowledge", tenant.slug, str(folder), "--source", "handbook", stdout=out, stderr=err)
    assert "1 of these no longer have a file: returns.md. Archive them in the desk." in out.getvalue()


@pytest.mark.parametrize(
    "error", [RecursionError(), ValueError("odd"), IndexError(), DataError("too long"), PermissionError(13, "no")]
)
def test_whatever_one_file_raises_the_later_ones_are_imported(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    tenant = make_tenant()
    whole = importing.read_article

    def read(file: Path, path: str) -> ArticleFile:
        if path == "bad.md":
            raise error
        return whole(file, path)

    monkeypatch.setattr(importing, "read_article", read)
    (folder / "bad.md").write_text("# Bad\nText.", encoding="utf-8")
    out, err = load(tenant, folder)
    assert out == "2 published, 0 unchanged, 1 skipped."
    assert f"Skipped bad.md: it cannot be read as Markdown ({type(error).__name__})." in err


def test_a_text_that_cannot_be_cut_is_named_and_leaves_nothing_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = make_tenant()
    whole = passages.split_article

    def split(body: str) -> list[Passage]:
        if "SKU" in body:
            raise RecursionError
        return whole(body)

    monkeypatch.setattr(passages, "split_article", split)
    (folder / "prices.md").write_text("# Prices\nSKU;price\n", encoding="utf-8")
    out, err = load(tenant, folder)
    assert out == "2 published, 0 unchanged, 1 skipped."
    assert "Skipped prices.md: This text can't be indexed. Shorten or remove its longest paragraph" in err
    assert versions(tenant) == [("returns", "en", 1), ("returns", "zh", 1)]


def test_help_explains_what_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("load_knowledge", "--help")
    text = capsys.readouterr().out
    for word in ("+++", ".mdx", "zh-CN", "--source", "ends with 0", "first heading"):
        assert word in text


def test_an_unknown_tenant_a_missing_folder_and_an_empty_one_are_clear_errors(tmp_path: Path) -> None:
    tenant = make_tenant()
    with pytest.raises(CommandError, match="There is no tenant 'nobody'"):
        call_command("load_knowledge", "nobody", str(tmp_path))
    with pytest.raises(CommandError, match="is not a folder"):
        load(tenant, tmp_path / "missing")
    with pytest.raises(CommandError, match="No article could be read"):
        load(tenant, tmp_path)
