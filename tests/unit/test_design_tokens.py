"""static/tokens.css: the two dark lists agree, and every text colour is readable on every ground."""

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


def declarations(selector: str) -> dict[str, str]:
    """The custom properties of the block behind a selector."""
    block = CSS.split(selector + " {", 1)[1].split("}", 1)[0]
    return dict(re.findall(r"(--[\w-]+):\s*([^;]+);", block))


LIGHT = declarations("\n:root")
DARK = declarations(':root[data-theme="dark"]')


def luminance(colour: str) -> float:
    """WCAG 2 relative luminance of `#rrggbb`."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio of two colours."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_system_dark_and_chosen_dark_are_equal() -> None:
    assert declarations(':root:not([data-theme="light"])') == DARK


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), [*product(TEXTS, GROUNDS), *PAIRS])
def test_text_is_readable(theme: str, text: str, ground: str) -> None:
    colours = LIGHT if theme == "light" else LIGHT | DARK
    assert contrast(colours[f"--{text}"], colours[f"--{ground}"]) >= READABLE
