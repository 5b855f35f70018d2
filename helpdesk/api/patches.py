"""Every private name of Django and of Django REST framework that is reached into."""

from __future__ import annotations

from helpdesk.private_names import Library, PrivateName

DJANGO = Library(
    name="Django",
    distributions=("Django",),
    tested=("5.2",),
    names=(
        PrivateName(
            module="django.http.request",
            name="HttpRequest",
            attributes=("_body", "_stream"),
            where="views.py",
            why="a body is read once, within the limit of its endpoint, and read again by the parsers",
            missing="parsers find no body: each POST is refused as unreadable",
        ),
    ),
)

REST_FRAMEWORK = Library(
    name="Django REST framework",
    distributions=("djangorestframework",),
    tested=("3.18",),
    names=(
        PrivateName(
            module="rest_framework.request",
            name="Request",
            attributes=("_request",),
            where="views.py, batches/api/views.py, tracing/api/export_views.py",
            why="the request below: its body is bounded, and it says what kind of server streams an answer",
            missing="each POST and each download is an error",
        ),
    ),
)

LIBRARIES = (DJANGO, REST_FRAMEWORK)
