"""What of a folder is read: every file that is not has its reason or is counted."""

from __future__ import annotations

import os
from pathlib import Path

from knowledge.sources.folders import look_through, printable


def fill(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("# Title\nText.", encoding="utf-8")


def test_markdown_in_all_subfolders_is_read_by_its_path(tmp_path: Path) -> None:
    fill(tmp_path, "a/index.md", "b/index.md", "B.MD", "c.markdown", "d.mdx", "README.md", "指南/退货.md", "a/x y.md")
    assert list(look_through(tmp_path).files) == [
        *("B.MD", "README.md", "c.markdown", "d.mdx"),
        *("a/index.md", "a/x y.md", "b/index.md", "指南/退货.md"),
    ]


def test_everything_else_is_counted(tmp_path: Path) -> None:
    fill(tmp_path, "a.md", "a.txt", "b/c.TXT", "pic.png", "LICENSE", ".hidden.md", ".git/x.md", "b/.c/y.md")
    contents = look_through(tmp_path)
    assert list(contents.files) == ["a.md"]
    assert contents.others == {".txt": 2, ".png": 1, "without ending": 1, "hidden": 3}


def test_links_lead_to_nothing_outside_and_make_nothing_double(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    fill(tmp_path, "docs/a.md", "docs/.store/b.md", "secret.md", "elsewhere/c.md")
    (folder / "again.md").symlink_to("a.md")
    (folder / "b.md").symlink_to(".store/b.md")  # how mounted configuration looks
    (folder / "broken.md").symlink_to("nothing.md")
    (folder / "loop.md").symlink_to("loop.md")
    (folder / "out.md").symlink_to("../secret.md")
    (folder / "more").symlink_to("../elsewhere")
    contents = look_through(folder)
    assert list(contents.files) == ["a.md", "b.md"]
    assert dict(contents.refused) == {
        "again.md": "it is a link to a.md, which is read",
        "broken.md": "it is a link to nothing",
        "loop.md": "it is a link to nothing",
        "out.md": "it is a link out of the folder; put the file itself there",
        "more": "it is a link to a folder",
    }


def test_a_linked_folder_can_be_named_itself(tmp_path: Path) -> None:
    fill(tmp_path, "real/a.md")
    (tmp_path / "docs").symlink_to("real")
    assert list(look_through(tmp_path / "docs").files) == ["a.md"]


def test_names_that_cannot_be_an_identity_are_refused(tmp_path: Path) -> None:
    fill(tmp_path, "caf\u00e9.md", "cafe\u0301.md", "tab\t.md", f"{'d' * 200}/{'e' * 200}/{'f' * 120}.md")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/latin\xe9.md")).write_text("# T\nText.", encoding="utf-8")
    contents = look_through(tmp_path)
    assert list(contents.files) == ["caf\u00e9.md"]
    reasons = {printable(path)[:5]: reason for path, reason in contents.refused}
    assert reasons == {
        "café.": "another file has the same name with its accents written in another way; rename one",
        "tab\t.": "its name has a control character; rename it",
        "ddddd": "its path has 525 characters; the limit is 500: use shorter names",
        "latin": "its name is not UTF-8; rename it",
    }
    assert printable("latin\udce9.md") == "latin\\udce9.md"
