"""A company's own colour for its chat: who does not see well must still find the button."""

from __future__ import annotations

import re

DEFAULT = "#0e6672"
# WCAG 2.2, 1.4.11: what one has to see to use something, against what is beside it. Websites are mostly white.
LEAST_CONTRAST = 3.0
WHITE = (255, 255, 255)
Colour = tuple[int, int, int]


def parse(text: str) -> Colour | None:
    """`#rrggbb` as three numbers; None for anything else."""
    if not re.fullmatch("#[0-9a-fA-F]{6}", text):
        return None
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def contrast(one: Colour, other: Colour) -> float:
    """WCAG 2 contrast ratio, 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def is_seen(colour: Colour) -> bool:
    """Whether a button of this colour stands out from a white page."""
    return contrast(colour, WHITE) >= LEAST_CONTRAST


def nearest_seen(colour: Colour) -> str:
    """The lightest shade of the same hue that does."""
    red, green, blue = colour
    for hundredths in range(100, -1, -1):
        shade = red * hundredths // 100, green * hundredths // 100, blue * hundredths // 100
        if is_seen(shade):
            return "#" + "".join(f"{part:02x}" for part in shade)
    return DEFAULT


def _luminance(colour: Colour) -> float:
    parts = [value / 255 for value in colour]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
