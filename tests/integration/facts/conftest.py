from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings

from tests.integration.facts.listeners import forget_everything


@pytest.fixture
def listeners() -> Iterator[None]:
    """The list of subscribers is the tests' own."""
    forget_everything()
    with override_settings(FACT_SUBSCRIBERS="tests.integration.facts.listeners.LISTENERS"):
        yield
