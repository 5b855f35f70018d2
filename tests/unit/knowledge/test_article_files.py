"""One file as an article: titles, front matter in YAML and TOML, languages, and the reasons why a file is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from helpdesk.errors import InvalidInput
from knowledge.sources.article_files import MAX_FILE_BYTES, ArticleFile, BadFile, read_article
from knowledge.sources.language_tags import language_of


def read(folder: Path, content: str | bytes, path: str = "file.md") -> ArticleFile:
    file = folder / Path(path).name
    file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return read_article(file, path)


def reason(folder: Path, content: str | bytes, path: str = "file.md") -> str:
    with pytest.raises(BadFile) as caught:
        read(folder, content, path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "title", "body"),
    [
        ("# Bike hire\n\nHelmets are included.\n", "Bike hire", "Helmets are included."),
        ("\n\n# Bike hire #\nHelmets are included.", "Bike hire", "Helmets are included."),
        ("Bike hire\n=========\n\nHelmets are included.", "Bike hire", "Helmets are included."),
        ("<!-- reviewed -->\n# Bike *hire*\nHelmets.", "Bike hire", "<!-- reviewed -->\nHelmets."),
        ("## Bike hire\n\nHelmets.", "Bike hire", "Helmets."),
        ("Before it.\n\n# Bike `hire`\n\nHelmets.", "Bike hire", "Before it.\n\n\nHelmets."),
        ("---\ncategory: Hire\n---\n# Bike hire\nHelmets.", "Bike hire", "Helmets."),
        ("# 租车\n\n含头盔。", "租车", "含头盔。"),
        ("---\ntitle: Bike hire\n---\n# Opening\nHelmets.", "Bike hire", "# Opening\nHelmets."),
        ("\ufeff---\r\ntitle: Bike hire\r\n---\r\nHelmets.\r\n", "Bike hire", "Helmets."),
        ("+++\ntitle = 'Bike hire'\n+++\nHelmets.", "Bike hire", "Helmets."),
        ("---\ntitle: No\n---\nHelmets.", "No", "Helmets."),
        ("---\ntitle: 2026-01-31\n---\nHelmets.", "2026-01-31", "Helmets."),
        ("---\nTitle: 1.10\n---\nHelmets.", "1.10", "Helmets."),
        ("---\n---\n# Bike hire\nHelmets.", "Bike hire", "Helmets."),
        ("# Bike hire\n\nHelmets.\n\n---\n\nGloves.\n", "Bike hire", "Helmets.\n\n---\n\nGloves."),
        ("---\n\n# Bike hire\n\nHelmets.", "Bike hire", "---\n\n\nHelmets."),
    ],
)
def test_the_title_is_the_front_matters_or_the_first_heading(
    tmp_path: Path, content: str, title: str, body: str
) -> None:
    file = read(tmp_path, content)
    assert (file.title, file.body) == (title, body)


def test_toml_has_the_same_names(tmp_path: Path) -> None:
    file = read(tmp_path, '+++\ntitle = "Vouchers"\ncategory = "Gifts"\nlanguage = "zh-TW"\n+++\nText.')
    assert (file.title, file.category, file.language) == ("Vouchers", "Gifts", "zh")


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        *((tag, "zh") for tag in ("zh", "ZH", "zh-CN", "zh_CN", "zh-Hans", "zh_Hans_CN", "zh-TW", "cn", "zho", "cmn")),
        *((tag, "zh") for tag in ("Chinese", "中文", " 简体中文 ", "zh_CN.UTF-8")),
        *((tag, "en") for tag in ("en", "EN", "en-US", "en_GB", "eng", "English", "英文")),
        *((tag, None) for tag in ("fr", "de-AT", "klingon", "enzh", "", "no", "e", "zh!")),
    ],
)
def test_names_of_languages_mean_one_of_the_desks(tag: str, language: str | None) -> None:
    assert language_of(tag) == language


@pytest.mark.parametrize("name", ["language", "lang", "locale"])
def test_the_files_language_is_what_it_says(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, f"---\ntitle: Gloves\n{name}: zh-CN\n---\nA word of English.").language == "zh"


@pytest.mark.parametrize(
    ("path", "body", "language"),
    [
        ("zh/gloves.md", "Gloves.", "zh"),
        ("i18n/zh-Hans/hire/gloves.md", "Gloves.", "zh"),
        ("zh/en/gloves.md", "手套。", "en"),
        ("docs/gloves.zh-CN.md", "Gloves.", "zh"),
        ("zh/gloves.en.md", "手套。", "en"),
        ("docs/gloves.md", "手套很暖和。", "zh"),
        ("docs/gloves.md", "Gloves are warm.", "en"),
        ("cn-rail/gloves.md", "Gloves are warm.", "en"),
        ("chinese/gloves.md", "Gloves are warm.", "en"),
        ("en-suite/gloves.md", "手套很暖和。", "zh"),
    ],
)
def test_without_a_language_its_place_says_it_and_else_its_text(
    tmp_path: Path, path: str, body: str, language: str
) -> None:
    assert read(tmp_path, f"---\ntitle: T\n---\n{body}", path).language == language


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "it is empty"),
        (" \n\t\n", "it is empty"),
        ("# Only a title\n", "it has a title but no text"),
        ("---\ntitle: Gloves\n", "its front matter begins in line 1 and has no end: close it with ---"),
        ("\n\n+++\ntitle = 'Gloves'\nText.\n", "its front matter begins in line 3 and has no end: close it with +++"),
        ("---\n- a\n- b\n---\nText.", "its front matter (from line 1) is not a list of names and values"),
        ("---\ntitle: Gloves\nlanguage: no\n---\nText.", "its language is 'no'; use en or zh"),
        ("---\ntitle: Gloves\nlanguage: fr-FR\n---\nText.", "its language is 'fr-FR'; use en or zh"),
        ("---\ntitle: Gloves\ndraft: true\n---\nText.", "its front matter says draft: true"),
        ("---\ntitle: Gloves\npublished: False\n---\nText.", "its front matter says published: False"),
        ("+++\ntitle = 'Gloves'\ndraft = true\n+++\nText.", "its front matter says draft: True"),
        ("---\ntitle: " + "[" * 5000 + "\n---\nText.", "its front matter is nested too deeply"),
        (f"---\ntitle: T\ncategory: {'c' * 121}\n---\nText.", "its category has 121 characters; the limit is 120"),
        ("# Gloves\n".encode("utf-16"), "it is UTF-16 text; save it as UTF-8"),
        ("# 手套\n\n很暖和。\n".encode("gb18030"), "it is not UTF-8 text (byte 2); save it as UTF-8"),
        (b"# \x00\n", "it is a binary file, not text"),
        (b"x" * (MAX_FILE_BYTES + 1), "it has 1,000,001 bytes; the limit is 1,000,000: split it into several articles"),
        (
            "Only words.\n",
            "it has no title: begin it with a heading (# Title) or with front matter (---, title: …, ---)",
        ),
        (
            "Words.\n\n## Part\n",
            "it has no title: begin it with a heading (# Title) or with front matter (---, title: …, ---)",
        ),
    ],
)
def test_a_bad_file_says_why(tmp_path: Path, content: str | bytes, why: str) -> None:
    assert reason(tmp_path, content) == why


@pytest.mark.parametrize(
    ("content", "begin"),
    [
        ("---\ntitle: Gloves\ncategory: [Hire\n---\nText.", "its front matter is not valid YAML in line "),
        ("---\ntitle: Gloves: warm\n---\nText.", "its front matter is not valid YAML in line 2 (mapping values"),
        ("\n---\ntitle: a\n\tcategory: b\n---\nText.", "its front matter is not valid YAML in line 4 ("),
        ("+++\ntitle = 'Gloves'\ncategory = Hire\n+++\nText.", "its front matter is not valid TOML in line 3 ("),
        ("+++\ntitle = 'Gloves'\ntitle = 'Again'\n+++\nText.", "its front matter is not valid TOML in line 3 ("),
    ],
)
def test_broken_front_matter_names_the_line(tmp_path: Path, content: str, begin: str) -> None:
    assert reason(tmp_path, content).startswith(begin)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    with pytest.raises(BadFile, match="no ordinary file"):
        read_article(tmp_path / "pipe.md", "pipe.md")


@pytest.mark.parametrize("content", [f"# {'T' * 301}\nText.", f"# Gloves\n{'x' * 200_001}"])
def test_what_no_article_may_have_is_refused_as_in_the_desk(tmp_path: Path, content: str) -> None:
    with pytest.raises(InvalidInput):
        read(tmp_path, content)


def test_handles_are_for_people(tmp_path: Path) -> None:
    assert read(tmp_path, "# A\nB", "shop/C++.md").handles == ("c", "shop-c")
    assert read(tmp_path, "# 手套\nB", "店/！.md").handles == ("手套", "店")
