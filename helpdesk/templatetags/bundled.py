"""`{% bundle "widget/panel.js" %}`: the address of several static files in one."""

from __future__ import annotations

from django import template

from helpdesk.web.static_files import bundle_url

register = template.Library()
register.simple_tag(bundle_url, name="bundle")
