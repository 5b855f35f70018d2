"""Which article a file is: its source and path say it, and nothing takes another one's place unseen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from threading import Barrier

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from knowledge.domain import archive_article, new_article, publish_article, save_article
from knowledge.models import Article, ArticleVersion, Chunk
from tests.factories import make_tenant, make_user
from tests.integration.knowledge.articles import find, titles

pytestmark = pytest.mark.django_db


def write(folder: Path, files: dict[str, str]) -> Path:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8")
    return folder


def load(tenant: Tenant, folder: Path, *options: str) -> str:
    """The summary's first line."""
    out = StringIO()
    call_command("load_knowledge", tenant.slug, str(folder), *options, stdout=out, stderr=StringIO())
    return out.getvalue().splitlines()[0]


def articles(tenant: Tenant) -> list[tuple[str, str, int]]:
    """Path, published title and version of every article."""
    with tenant_atomic(tenant.id):
        rows = Article.objects.order_by("path", "created_at")
        return list(rows.values_list("path", "published_version__title", "published_version__number"))


def import_as_before(tenant: Tenant, slug: str, title: str, body: str, language: str = "en") -> Article:
    """A row as it was when an article was known by its file's bare name."""
    with tenant_atomic(tenant.id):
        article = new_article(title=title, language=language, handles=[slug])
        save_article(tenant_id=tenant.id, article_id=article.pk, title=title, body=body, language=language)
        return publish_article(tenant_id=tenant.id, article_id=article.pk)


ALIKE = {
    "hire/index.md": "# Hire\nBikes are hired by the day.",
    "repair/index.md": "# Repair\nA flat tyre is mended within the hour.",
    "index.md": "# Welcome\nThe workshop opens at eight.",
    "gear/A.md": "# A\nGear A has three speeds.",
    "gear/A+.md": "# A+\nGear A+ has five speeds.",
    "gear/A#.md": "# A#\nGear A# has nine speeds.",
    "gear/a.md": "# Small a\nGear a has one speed.",
    "gear/a b.md": "# A and B\nGears a and b fit together.",
    "gear/a-b.md": "# A to B\nGear a-b is out of production.",
    "指南/！.md": "# 注意\n请戴头盔。",
    "指南/？.md": "# 问题\n可以退车。",
}


def test_files_of_like_names_are_articles_of_their_own_and_stay_them(tmp_path: Path) -> None:
    tenant = make_tenant()
    write(tmp_path, ALIKE)
    assert load(tenant, tmp_path) == "11 published, 0 unchanged."
    before = articles(tenant)
    assert sorted((path, number) for path, _, number in before) == sorted((path, 1) for path in ALIKE)
    assert load(tenant, tmp_path) == "0 published, 11 unchanged."
    assert articles(tenant) == before
    write(tmp_path, {"repair/index.md": "# Repair\nA flat tyre is mended at once."})
    assert load(tenant, tmp_path) == "1 published, 10 unchanged."
    assert [row for row in articles(tenant) if row not in before] == [("repair/index.md", "Repair", 2)]


def test_slugs_tell_like_names_apart(tmp_path: Path) -> None:
    tenant = make_tenant()
    load(
        tenant,
        write(tmp_path, {path: ALIKE[path] for path in ("index.md", "hire/index.md", "gear/A.md", "gear/A+.md")}),
    )
    with tenant_atomic(tenant.id):
        assert sorted(Article.objects.values_list("slug", flat=True)) == ["a", "gear-a", "hire-index", "index"]


def test_two_folders_with_the_same_files_are_two_sources(tmp_path: Path) -> None:
    tenant = make_tenant()
    shop = write(tmp_path / "shop", {"index.md": "# Shop\nWe sell bells."})
    club = write(tmp_path / "club", {"index.md": "# Club\nWe ride on Sundays."})
    assert [load(tenant, shop), load(tenant, club)] == ["1 published, 0 unchanged."] * 2
    assert [title for _, title, _ in articles(tenant)] == ["Shop", "Club"]
    (tmp_path / "moved").mkdir()
    club.rename(tmp_path / "moved/verein")
    assert load(tenant, tmp_path / "moved/verein", "--source", "club") == "0 published, 1 unchanged."


def test_articles_known_by_their_bare_name_are_found_again(tmp_path: Path) -> None:
    tenant = make_tenant()
    import_as_before(tenant, "index", "Repair", "An older text.")
    import_as_before(tenant, "a", "A", "Gear A has three speeds.")
    import_as_before(tenant, "hours", "Hours", "From eight.")
    import_as_before(tenant, "hours", "时间", "八点开始。", "zh")
    with tenant_atomic(tenant.id):
        known = set(Article.objects.values_list("pk", flat=True))
    files = {path: ALIKE[path] for path in ("hire/index.md", "repair/index.md", "gear/A.md", "gear/A+.md")}
    write(tmp_path, files | {"en/hours.md": "# Hours\nFrom eight.", "zh/hours.md": "# 时间\n八点开始。"})
    assert load(tenant, tmp_path) == "3 published, 3 unchanged."
    assert articles(tenant) == [
        ("en/hours.md", "Hours", 1),
        ("gear/A+.md", "A+", 1),
        ("gear/A.md", "A", 1),
        ("hire/index.md", "Hire", 1),
        ("repair/index.md", "Repair", 2),
        ("zh/hours.md", "时间", 1),
    ]
    with tenant_atomic(tenant.id):
        assert known < set(Article.objects.values_list("pk", flat=True))
    assert load(tenant, tmp_path) == "0 published, 6 unchanged."


def test_the_demo_of_an_earlier_release_is_not_doubled() -> None:
    call_command("load_demo", verbosity=0)
    tenant = Tenant.objects.get(slug="mossgate")
    with tenant_atomic(tenant.id):
        before = set(ArticleVersion.objects.values_list("article_id", "number"))
        paths = set(Article.objects.values_list("pk", "source", "path"))
        Article.objects.update(source="", path="")
    call_command("load_demo", verbosity=0)
    with tenant_atomic(tenant.id):
        assert set(ArticleVersion.objects.values_list("article_id", "number")) == before
        assert set(Article.objects.values_list("pk", "source", "path")) == paths
        assert {source for _, source, _ in paths} == {"mossgate"}


def test_a_file_never_takes_an_article_that_a_person_wrote(tmp_path: Path) -> None:
    tenant = make_tenant()
    author = make_user(tenant, Role.EDITOR)
    written = save_article(tenant_id=tenant.id, title="Hours", body="From nine.", language="en", author_id=author.pk)
    publish_article(tenant_id=tenant.id, article_id=written.article_id)
    load(tenant, write(tmp_path, {"hours.md": "# Hours\nFrom eight."}))
    assert articles(tenant) == [("", "Hours", 1), ("hours.md", "Hours", 1)]


def test_a_file_that_moved_keeps_its_article(tmp_path: Path) -> None:
    tenant = make_tenant()
    load(tenant, write(tmp_path, {"old/tyres.md": "# Tyres\nWide ones.", "b.md": "# Bells\nLoud ones."}))
    (tmp_path / "new").mkdir()
    (tmp_path / "old/tyres.md").rename(tmp_path / "new/tyres.md")
    assert load(tenant, tmp_path) == "0 published, 2 unchanged."
    assert articles(tenant) == [("b.md", "Bells", 1), ("new/tyres.md", "Tyres", 1)]
    write(tmp_path, {"copy.md": "# Bells\nLoud ones."})
    assert load(tenant, tmp_path) == "1 published, 2 unchanged."


def test_what_was_edited_in_the_desk_stays_until_the_file_changes(client: Client, tmp_path: Path) -> None:
    tenant = make_tenant()
    author = make_user(tenant, Role.EDITOR)
    load(tenant, write(tmp_path, {"bells.md": "# Bells\nLoud ones."}))
    with tenant_atomic(tenant.id):
        article = Article.objects.get()
    changed = {"article_id": article.pk, "title": "Bells", "language": "en", "author_id": author.pk}
    save_article(tenant_id=tenant.id, body="Soft ones.", **changed)
    publish_article(tenant_id=tenant.id, article_id=article.pk)
    assert load(tenant, tmp_path) == "0 published, 0 unchanged, 1 left as edited in the desk."
    assert titles(find(tenant, "soft", by_meaning=False)) == ["Bells"]
    client.force_login(author)
    page = client.get(reverse("knowledge:edit", kwargs={"tenant_slug": tenant.slug, "article_id": article.pk}))
    assert "imported from the file bells.md" in page.content.decode()
    write(tmp_path, {"bells.md": "# Bells\nBoth sorts."})
    assert load(tenant, tmp_path) == "1 published, 0 unchanged."
    assert articles(tenant) == [("bells.md", "Bells", 3)]


def test_a_file_may_change_its_language(tmp_path: Path) -> None:
    tenant = make_tenant()
    load(tenant, write(tmp_path, {"bells.md": "# Bells\nLoud ones."}))
    assert load(tenant, write(tmp_path, {"bells.md": "# 铃铛\n声音响亮。"})) == "1 published, 0 unchanged."
    assert articles(tenant) == [("bells.md", "铃铛", 2)]
    with tenant_atomic(tenant.id):
        assert list(Chunk.objects.values_list("language", "version__number")) == [("zh", 2)]
    assert titles(find(tenant, "铃铛", by_meaning=False)) == ["铃铛"]


def test_an_archived_article_of_an_unchanged_file_is_not_written(tmp_path: Path) -> None:
    tenant = make_tenant()
    load(tenant, write(tmp_path, {"bells.md": "# Bells\nLoud ones.", "tyres.md": "# Tyres\nWide ones."}))
    with tenant_atomic(tenant.id):
        article = Article.objects.get(path="bells.md")
    archived = archive_article(tenant_id=tenant.id, article_id=article.pk)
    assert load(tenant, tmp_path) == "0 published, 1 unchanged, 1 left archived."
    with tenant_atomic(tenant.id):
        assert Article.objects.get(pk=article.pk).updated_at == archived.updated_at


def test_titles_that_differ_in_signs_only_are_articles_of_their_own() -> None:
    tenant = make_tenant()
    made = [
        save_article(tenant_id=tenant.id, title=title, body="Text.", language="en").article_id
        for title in ("C", "C++", "C#", "???", "!!!", "C++")
    ]
    assert len(set(made)) == 5
    assert made[1] == made[5]


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_make_no_article_twice(tmp_path: Path) -> None:
    tenant = make_tenant()
    write(tmp_path, ALIKE)
    begin = Barrier(2, timeout=30)

    def import_it(_: int) -> str:
        try:
            begin.wait()
            return load(tenant, tmp_path)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        lines = list(threads.map(import_it, range(2)))
    assert len(articles(tenant)) == 11
    counted = [[int(part.split()[0]) for part in line.rstrip(".").split(", ")] for line in lines]
    assert [sum(numbers) for numbers in counted] == [11, 11]
    assert sum(published for published, _ in counted) == 11
    with tenant_atomic(tenant.id):
        assert ArticleVersion.objects.count() == 11
