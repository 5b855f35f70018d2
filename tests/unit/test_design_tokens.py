"""static/tokens.css: every text colour is readable on every ground, in light and in dark."""

from __future__ import annotations

import re
from itertools import product

import pytest

from tests.conftest import ROOT

CSS = (ROOT / "static" / "tokens.css").read_text(encoding="utf-8")
READABLE = 4.5
TEXTS = ("text", "text-soft", "text-faint", "link", "brand", "person", "good", "fair", "weak", "danger")
GROUNDS = ("ground", "surface", "raised", "sunken", "hover", "selected")
PAIRS = [
    ("on-brand", "brand"),
    ("on-brand", "brand-hover"),
    ("on-person", "person"),
    ("on-danger", "danger"),
    ("marker-ink", "marker"),
    *[(f"{tone}-ink", f"{tone}-soft") for tone in ("brand", "person", "good", "fair", "weak")],
]


# Each colour is one for both themes, or light-dark() of both.
COLOURS = {
    name: (light, dark or light)
    for name, light, dark in re.findall(r"--([\w-]+): (?:light-dark\()?(#[0-9a-f]{6})(?:, (#[0-9a-f]{6})\))?;", CSS)
}


def luminance(colour: str) -> float:
    """WCAG 2 relative luminance of `#rrggbb`."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio of two colours."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), [*product(TEXTS, GROUNDS), *PAIRS])
def test_text_is_readable(theme: str, text: str, ground: str) -> None:
    which = ("light", "dark").index(theme)
    assert contrast(COLOURS[text][which], COLOURS[ground][which]) >= READABLE


def test_no_colour_is_the_same_in_light_and_dark_by_mistake() -> None:
    assert [name for name, (light, dark) in COLOURS.items() if light == dark] == []
