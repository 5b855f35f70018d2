"""What people and models wrote, in templates: plain text with links, or what a model wrote freely with its form."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from helpdesk.pages import rich_text

register = template.Library()


@register.filter
def linked(text: str) -> SafeString:
    """The text sign by sign; nothing that people or models wrote is ever taken for HTML."""
    return rich_text.with_links(text)


@register.filter
def rich(text: str) -> SafeString:
    """What a model wrote freely: paragraphs, lists, code and bold; never HTML of its own."""
    return rich_text.rich(text)
