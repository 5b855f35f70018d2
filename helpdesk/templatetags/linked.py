"""Plain text in templates, with its web addresses as links."""

from __future__ import annotations

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from helpdesk.pages import links

register = template.Library()


@register.filter
def linked(text: str) -> SafeString:
    """The text sign by sign; nothing that people or models wrote is ever taken for HTML."""
    return format_html_join("", "{}", ((_shown(part),) for part in links.linked(text)))


def _shown(part: links.Part) -> str:
    if not part.href:
        return part.text
    return format_html('<a href="{}" target="_blank" rel="noopener noreferrer nofollow">{}</a>', part.href, part.text)
