"""Who calls: an API key in the Authorization header, and nothing else. Cookies mean nothing here."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from helpdesk.api_keys.domain import ApiClient, recognise
from helpdesk.api_keys.errors import InvalidApiKey

SCHEME = "bearer"


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer gd_…` becomes `request.auth`, an ApiClient. Raises InvalidApiKey."""

    def authenticate(self, request: Request) -> tuple[None, ApiClient]:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != SCHEME:
            raise InvalidApiKey
        return None, recognise(text.strip())

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="glassdesk"'
