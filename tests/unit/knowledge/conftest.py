"""A busy machine must not fail a property: speed is measured in bench/, not here."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
