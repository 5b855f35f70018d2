"""How a company's chat looks and speaks, and on which websites it stands."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from conversations.models import Assistant
from conversations.validation import CONTROLS
from conversations.widget import accents
from helpdesk.errors import Conflict, InvalidInput, NotFound
from helpdesk.facts.kinds import SYSTEM, Actor, FactKind
from helpdesk.facts.recording import record
from helpdesk.tenants.models import Language, Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.tenants.sites import origin

MOST_SITES = 50
MOST_SUGGESTIONS = 6
SUGGESTION_CHARACTERS = 80
WELCOME_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class WidgetSettings:
    """All of it; texts by language, without those that are empty. Raises InvalidInput for what cannot be."""

    sites: tuple[str, ...]
    accent: str
    welcome: dict[str, str]
    suggestions: dict[str, list[str]]

    def __post_init__(self) -> None:
        if [clean_site(site) for site in self.sites] != list(self.sites) or len(self.sites) > MOST_SITES:
            raise InvalidInput
        if self.accent and clean_accent(self.accent) != self.accent:
            raise InvalidInput
        for language in {*self.welcome, *self.suggestions}:
            if language not in Language.values:
                raise InvalidInput
            clean_text(self.welcome.get(language, ""), most=WELCOME_CHARACTERS)
            clean_suggestions(self.suggestions.get(language, []))


def clean_site(site: str) -> str:
    """The website's origin in one spelling."""
    return origin(site)


def clean_sites(lines: list[str]) -> tuple[str, ...]:
    """One website in each line; what stands twice stands once."""
    sites = tuple(dict.fromkeys(clean_site(line) for line in lines if line.strip()))
    if len(sites) > MOST_SITES:
        raise InvalidInput(_("At most %(limit)d websites can be on the list.") % {"limit": MOST_SITES})
    return sites


def clean_accent(text: str) -> str:
    """`#rrggbb` in small letters, when people can see a button of that colour on a white page."""
    colour = accents.parse(text.strip())
    if colour is None:
        raise InvalidInput(_("Write the color like #0e6672."))
    if not accents.is_seen(colour):
        raise InvalidInput(
            _(
                "This color is hard to see: its contrast with a white page is %(contrast).1f to 1, and at least 3 to 1 is "
                "needed. %(shade)s is the nearest shade that works."
            )
            % {"contrast": accents.contrast(colour, accents.WHITE), "shade": accents.nearest_seen(colour)}
        )
    return text.strip().lower()


def clean_text(text: str, *, most: int) -> str:
    """Trimmed, without control characters."""
    text = text.replace("\r\n", "\n").strip()
    if len(text) > most:
        raise InvalidInput(_("At most %(limit)d characters fit here.") % {"limit": most})
    if CONTROLS.search(text):
        raise InvalidInput(_("The text contains control characters. Remove them and save again."))
    return text


def clean_suggestions(lines: list[str]) -> list[str]:
    """One question in each line."""
    kept = [clean_text(line, most=SUGGESTION_CHARACTERS) for line in lines if line.strip()]
    if len(kept) > MOST_SUGGESTIONS:
        raise InvalidInput(_("At most %(limit)d suggestions fit here.") % {"limit": MOST_SUGGESTIONS})
    return kept


def change_widget(*, tenant_id: UUID, based_on: int, settings: WidgetSettings, actor: Actor = SYSTEM) -> bool:
    """Store these settings; False when they are what they were.

    Raises Conflict when somebody else has changed them since version `based_on`.
    """
    with tenant_atomic(tenant_id):
        tenant = Tenant.objects.select_for_update(no_key=True).get(id=tenant_id)
        assistant: Assistant | None = Assistant.objects.select_for_update(no_key=True).filter(is_default=True).first()
        if assistant is None:
            raise NotFound
        if tenant.widget_version != based_on:
            raise Conflict
        before = (list(tenant.allowed_origins), tenant.accent, tenant.welcome, assistant.suggestions)
        after = (list(settings.sites), settings.accent, settings.welcome, settings.suggestions)
        changed = sum(1 for old, new in zip(before, after, strict=True) if old != new)
        if not changed:
            return False
        tenant.allowed_origins, tenant.accent, tenant.welcome, assistant.suggestions = after
        tenant.widget_version += 1
        tenant.save(update_fields=["allowed_origins", "accent", "welcome", "widget_version"])
        assistant.save(update_fields=["suggestions"])
        record(
            FactKind.WIDGET_CHANGED, subject_id=tenant.id, actor=actor,
            version=tenant.widget_version, settings=changed, sites=len(settings.sites),
        )  # fmt: skip
        return True
