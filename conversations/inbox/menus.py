"""The menus of what can be done with conversations: each item is an order that `conversations.inbox.actions` carries out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.models import Label, Macro, Priority
from conversations.staffing.presence import AWAY, GONE, HERE
from helpdesk.users.models import User

PRESENCES = {HERE: gettext_lazy("available"), AWAY: gettext_lazy("away"), GONE: gettext_lazy("not here")}
SNOOZES = (
    ("1h", gettext_lazy("In an hour")),
    ("3h", gettext_lazy("In 3 hours")),
    ("tomorrow", gettext_lazy("Tomorrow at 9:00")),
    ("week", gettext_lazy("Next Monday at 9:00")),
)


@dataclass(frozen=True, slots=True)
class Order:
    """One item: `do` is the order, `words` the item, `command` its name in the palette. `mark` is a class of a coloured mark,
    `note` what it says.

    `undo` is the order of a small button beside it, which `undo_command` names.
    """

    do: str
    words: str | Promise
    command: str
    icon: str = ""
    mark: str = ""
    note: str | Promise = ""
    undo: str = ""
    undo_command: str = ""


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu of orders; `key` is what scripts open it by. `none` is said when it is empty."""

    key: str
    words: str
    icon: str
    orders: Sequence[Order]
    none: str = ""
    has_moment: bool = False
    manages: str = ""
    manages_words: str = ""


def order_menus(
    people: Iterable[User], labels: Iterable[Label], macros: Iterable[Macro], presence: Mapping[int, str]
) -> list[Menu]:
    """All of them, for somebody who may reply; `presence` by person marks who is there."""
    return [
        Menu("assign", _("Assign"), "user", _assigning(people, presence)),
        Menu(
            "label", _("Label"), "tag", [_label(each) for each in labels], none=_("No labels yet."),
            manages="desk:labels", manages_words=_("Manage labels"),
        ),
        Menu("snooze", _("Snooze"), "clock", [_snooze(code, words) for code, words in SNOOZES], has_moment=True),
        Menu(
            "macro", _("Macros"), "play", [_macro(each) for each in macros], none=_("No macros yet."),
            manages="desk:macros", manages_words=_("Manage macros"),
        ),
        Menu("more", _("More"), "", _rest()),
    ]  # fmt: skip


def _assigning(people: Iterable[User], presence: Mapping[int, str]) -> list[Order]:
    to_people = [
        Order(
            f"assign:{each.pk}", str(each), _("Assign to %(name)s") % {"name": each},
            mark=f"presence presence-{presence.get(each.pk, GONE)}", note=PRESENCES[presence.get(each.pk, GONE)],
        )
        for each in people
    ]  # fmt: skip
    mine = Order("take", _("Assign to me"), _("Assign to me"), "hand")
    return [mine, *to_people, Order("assign:", _("Nobody"), _("Remove the assignee"), "x")]


def _label(label: Label) -> Order:
    name = {"name": label.name}
    return Order(
        f"label:{label.id}", label.name, _("Add label %(name)s") % name, mark=f"swatch label-{label.colour}",
        undo=f"unlabel:{label.id}", undo_command=_("Remove label %(name)s") % name,
    )  # fmt: skip


def _snooze(code: str, words: str | Promise) -> Order:
    return Order(f"snooze:{code}", words, _("Snooze: %(words)s") % {"words": words})


def _macro(macro: Macro) -> Order:
    return Order(f"macro:{macro.id}", macro.name, _("Macro: %(name)s") % {"name": macro.name})


def _rest() -> list[Order]:
    stages = [
        Order("open", _("Set to open"), _("Set to open"), "inbox"),
        Order("pending", _("Set to pending"), _("Set to pending"), "timer"),
    ]
    named = [(each, _("Priority: %(words)s") % {"words": each.label}) for each in Priority]
    return stages + [Order(f"priority:{each}", words, words, mark=f"priority priority-{each}") for each, words in named]
