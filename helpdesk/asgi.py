"""The web process: HTTP by Django, websockets by Channels. Loads no model library."""

from __future__ import annotations

import os
import sys

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
http = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402

from conversations.routing import websocket_urlpatterns  # noqa: E402
from helpdesk.metrics.web import CountedSockets  # noqa: E402
from helpdesk.queue.celery import bound_sending  # noqa: E402
from helpdesk.startup import refuse_unsafe_start  # noqa: E402
from helpdesk.web.origins import SameOriginOnly  # noqa: E402
from helpdesk.web.requests import use_with_daphne  # noqa: E402

use_with_daphne()
bound_sending()
if "daphne.server" in sys.modules:
    from helpdesk.web.socket_bounds import bound_sockets

    bound_sockets()
if settings.STARTUP_CHECKS:
    refuse_unsafe_start()

application = ProtocolTypeRouter(
    {"http": http, "websocket": SameOriginOnly(AuthMiddlewareStack(CountedSockets(URLRouter(websocket_urlpatterns))))}
)
