"""Container health check of the web server: /health/live, asked under a name that the desk answers to."""

from __future__ import annotations

import http.client
import os
import sys


def main() -> int:
    """0 when the web server is alive. The header says that a proxy ended HTTPS, or the request would be redirected."""
    host = os.environ.get("GLASSDESK_ALLOWED_HOSTS", "localhost").split(",")[0].strip()
    connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=4)
    connection.request("GET", "/health/live", headers={"Host": host, "X-Forwarded-Proto": "https"})
    return 0 if connection.getresponse().status == http.client.OK else 1


if __name__ == "__main__":
    sys.exit(main())
