"""What a browser calls itself, in two words: enough for a person to know it again."""

from __future__ import annotations

# The first that is named counts: each claims to be those behind it as well.
BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"),
            ("Chrome/", "Chrome"), ("Safari/", "Safari"))  # fmt: skip
SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
           ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))  # fmt: skip


def browser_name(user_agent: str) -> str:
    """Such as “Firefox · Windows”; empty for what is none of those that people use."""
    found = [next((name for mark, name in marks if mark in user_agent[:1000]), "") for marks in (BROWSERS, SYSTEMS)]
    return " · ".join(name for name in found if name)
