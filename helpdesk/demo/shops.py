"""What the stand-in shops show, read from `content/<tenant>/shop.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpdesk.demo.tenants import DemoTenant, demo_tenants

CONTENT = Path(__file__).resolve().parent / "content"


@dataclass(frozen=True, slots=True)
class Product:
    """One thing on the shelf; `picture` is a static file."""

    name: str
    price: str
    blurb: str
    picture: str


@dataclass(frozen=True, slots=True)
class Shop:
    """One company's shop page in one language."""

    slug: str
    name: str
    tagline: str
    accent: str
    contact_email: str
    picture: str
    products: tuple[Product, ...]


def shop(slug: str, language: str) -> Shop | None:
    """The shop of a demo company in "en" or "zh"; None for every other slug."""
    return next((_read(tenant, language) for tenant in demo_tenants() if tenant.slug == slug), None)


def shops(language: str) -> list[Shop]:
    """All shops, in the order of the demo companies."""
    return [_read(tenant, language) for tenant in demo_tenants()]


def _read(tenant: DemoTenant, language: str) -> Shop:
    content: dict[str, Any] = json.loads((CONTENT / tenant.slug / "shop.json").read_text(encoding="utf-8"))
    return Shop(
        slug=tenant.slug,
        name=content["name"][language],
        tagline=content["tagline"][language],
        accent=content["accent"],
        contact_email=tenant.contact_email,
        picture=f"demo/{tenant.slug}-hero.svg",
        products=tuple(
            Product(
                name=product["name"][language],
                price=product["price"],
                blurb=product["blurb"][language],
                picture=f"demo/{tenant.slug}-{number}.svg",
            )
            for number, product in enumerate(content["products"], start=1)
        ),
    )
