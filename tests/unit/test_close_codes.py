"""Every code that a socket is closed with stands in the protocol's page, and no other of ours."""

from __future__ import annotations

import re

from helpdesk.web.sockets import Close
from tests.conftest import ROOT


def test_the_page_of_the_protocol_has_every_close_code() -> None:
    section = (
        (ROOT / "docs/protocol.md").read_text(encoding="utf-8").partition("\n## Close codes\n")[2].partition("\n## ")[0]
    )
    cells = re.findall(r"^\| ([\d, ]+) \|", section, re.MULTILINE)
    documented = {int(code) for cell in cells for code in cell.split(",")}
    assert {code for code in documented if code >= 4000} == {int(code) for code in Close if code >= 4000}
    assert {int(code) for code in Close} <= documented


def test_codes_are_named_once() -> None:
    """Nothing closes a socket with a number of its own."""
    sources = [path for folder in ("conversations", "helpdesk") for path in (ROOT / folder).rglob("*.py")]
    numbered = [
        path.name for path in sources if re.search(r"\b4[4]\d\d\b|\bclose\(\d", path.read_text(encoding="utf-8"))
    ]
    assert numbered == ["sockets.py"]
