"""Typed readers of environment variables; the settings module is their only caller."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,59}")
MAIL_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


def text(name: str, default: str | None = None) -> str:
    """The variable's value; without a default an unset variable is refused."""
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"Set the environment variable {name}.")
    return value


def secret(name: str, default: str | None = None) -> str:
    """A secret from NAME, or from the file that NAME_FILE names (so that it need not stand in the environment)."""
    path = os.environ.get(f"{name}_FILE")
    if path and name not in os.environ:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE names {path}, which cannot be read: {error.strerror}.") from error
    return text(name, default)


def integer(name: str, default: int, *, minimum: int = 0) -> int:
    """A whole number of at least `minimum`."""
    raw = os.environ.get(name, str(default))
    try:
        value = int(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {raw!r}.") from error
    if value < minimum:
        raise ImproperlyConfigured(f"{name} must be at least {minimum}, not {value}.")
    return value


def integer_or(name: str, default: Callable[[], int], *, minimum: int = 0) -> int:
    """A whole number; the default is only asked for where the variable is not set."""
    return integer(name, 0 if name in os.environ else default(), minimum=minimum)


def fraction(name: str, default: float) -> float:
    """A number above 0 and below 1."""
    raw = os.environ.get(name, str(default))
    try:
        value = float(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a number such as 0.85, not {raw!r}.") from error
    if not 0 < value < 1:
        raise ImproperlyConfigured(f"{name} must lie between 0 and 1, not {raw!r}.")
    return value


def choice(name: str, default: str, permitted: tuple[str, ...]) -> str:
    """One of the permitted words."""
    value = os.environ.get(name, default)
    if value not in permitted:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(permitted)}, not {value!r}.")
    return value


def choice_or_file(name: str, default: str, permitted: tuple[str, ...], *, ending: str) -> str:
    """One of the permitted words, or the path of a file with that ending; whether it is there is for its reader to say."""
    value = os.environ.get(name, default)
    if value not in permitted and not value.endswith(ending):
        words = ", ".join(permitted)
        raise ImproperlyConfigured(f"{name} must be one of {words} or the path of a file *{ending}, not {value!r}.")
    return value


def boolean(name: str, default: bool) -> bool:
    """1/true/yes/on or 0/false/no/off."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    if raw.lower() in {"1", "true", "yes", "on"}:
        return True
    if raw.lower() in {"0", "false", "no", "off", ""}:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {raw!r}.")


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list without empty entries."""
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Addresses and networks; one that would hold every address is refused."""
    found = []
    for word in words(name):
        try:
            network = ip_network(word, strict=False)
        except ValueError:
            network = None
        if network is None or network.prefixlen == 0:
            raise ImproperlyConfigured(f"{name} must be like 10.0.0.5 or 172.16.0.0/12, comma separated, not {word!r}.")
        found.append(network)
    return found


def model_name(name: str) -> str:
    """The name of a served model, or nothing: it becomes part of a queue's name."""
    value = os.environ.get(name, "")
    if value and not MODEL_NAME.fullmatch(value):
        raise ImproperlyConfigured(f"{name} must be small letters, digits, dots and dashes, not {value!r}.")
    return value


def named_models(name: str) -> dict[str, str]:
    """`name=folder,name=folder`: models beside the first one."""
    found: dict[str, str] = {}
    for pair in words(name):
        alias, separator, location = (part.strip() for part in pair.partition("="))
        if not (separator and location and MODEL_NAME.fullmatch(alias)):
            raise ImproperlyConfigured(
                f"{name} must be like fast=packaged:int8,large=/models/qwen with small letters in names, not {pair!r}."
            )
        if alias in found:
            raise ImproperlyConfigured(f"{name} names {alias} twice.")
        found[alias] = location
    return found


def company_sign_ins(name: str) -> list[dict[str, object]]:
    """A JSON list of companies' OpenID Connect providers, as allauth reads them; see docs/operations/running.md."""
    raw = secret(name, "")
    try:
        found = json.loads(raw) if raw else []
        if not isinstance(found, list):
            raise TypeError
        apps = [_provider(each) for each in found]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ImproperlyConfigured(
            f"{name} must be a JSON list of objects with company, name, url, client_id and secret; url begins with https://."
        ) from None
    if len({app["provider_id"] for app in apps}) < len(apps):
        raise ImproperlyConfigured(f"{name} names a company twice.")
    return apps


def _provider(given: dict[str, str]) -> dict[str, object]:
    """Raises ValueError, KeyError, TypeError or AttributeError for what is no provider."""
    values = {key: given[key].strip() for key in ("company", "name", "url", "client_id", "secret")}
    url = urlsplit(values["url"])
    is_here = url.hostname in {"localhost", "127.0.0.1"}
    if not all(values.values()) or not (url.scheme == "https" or (url.scheme == "http" and is_here)):
        raise ValueError
    return {
        "provider_id": values["company"],
        "name": values["name"],
        "client_id": values["client_id"],
        "secret": values["secret"],
        "settings": {"server_url": values["url"].rstrip("/")},
    }


def path(name: str, default: str) -> Path:
    """A folder or file; `~` is expanded, relative paths count from the working directory."""
    return Path(os.environ.get(name, default)).expanduser().resolve()


def database(name: str, default: str) -> dict[str, object]:
    """Django's connection settings from a postgresql:// URL. With `none:` there is no database, for checks of the code."""
    parts = urlsplit(text(name, default))
    if parts.scheme == "none":
        return {"ENGINE": "django.db.backends.dummy"}
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(f"{name} must be a postgresql:// URL.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or 5432),
    }


def mail_server(name: str) -> dict[str, str | int | bool]:
    """Django's settings from smtp://, smtp+starttls:// or smtps://user:password@host:port; empty when it is not set."""
    url = secret(name, "")
    if not url:
        return {}
    parts = urlsplit(url)
    if parts.scheme not in MAIL_PORTS or not parts.hostname:
        raise ImproperlyConfigured(f"{name} must be like smtp+starttls://user:password@mail.example:587.")
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or MAIL_PORTS[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+starttls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
    }


def load_file(file: Path) -> None:
    """Take variables that are not set yet from a NAME=value file; a missing file is no error.

    `manage.py up` writes this file, so that other commands find its databases without being told.
    """
    if not file.is_file():
        return
    for line in file.read_text(encoding="utf-8").splitlines():
        name, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            os.environ.setdefault(name.strip(), value.strip())
