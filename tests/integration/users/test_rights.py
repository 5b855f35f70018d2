"""Who may do what: one table, which the documentation shows and every domain function keeps to."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from helpdesk.errors import Forbidden
from helpdesk.permissions import RIGHTS, Right, Role
from helpdesk.users.acting import acting_with, needs, nobody_yet
from tests.conftest import ROOT

# The modules in which people change things, with what each function needs. A function that customers, keys and workers call,
# or that only reads or checks what its page's right has opened, stands among the others.
NEEDED: dict[str, dict[str, Right]] = {
    "batches.domain": {"submit_batch": Right.MANAGE_BATCHES, "cancel_batch": Right.MANAGE_BATCHES},
    "conversations.assistants": {"change_assistant": Right.EDIT_ASSISTANT},
    "conversations.domain": {
        "post_person_message": Right.REPLY,
        "take_conversation": Right.REPLY,
        "hand_back_to_assistant": Right.REPLY,
        "close_conversation": Right.REPLY,
        "reopen_conversation": Right.REPLY,
    },
    "conversations.hand_off.rules": {"change_hand_off_rules": Right.EDIT_ASSISTANT},
    "conversations.inbox.actions": {"act": Right.REPLY},
    "conversations.inbox.notes": {"add_note": Right.REPLY},
    "conversations.inbox.canned": dict.fromkeys(
        ("create_canned_reply", "change_canned_reply", "delete_canned_reply"), Right.MANAGE_INBOX
    ),
    "conversations.inbox.seeing": {"see": Right.SEE_CONVERSATIONS},
    "conversations.inbox.drafts": dict.fromkeys(("save_draft", "forget_draft"), Right.REPLY),
    "conversations.inbox.macros": dict.fromkeys(("create_macro", "change_macro", "delete_macro"), Right.MANAGE_INBOX)
    | {"run_macro": Right.REPLY},
    "conversations.inbox.saved_views": dict.fromkeys(("save_view", "delete_view"), Right.SEE_CONVERSATIONS),
    "conversations.inbox.triage.assigning": {"assign": Right.REPLY},
    "conversations.inbox.triage.labelling": dict.fromkeys(("add_label", "remove_label"), Right.REPLY),
    "conversations.inbox.triage.parking": {"park": Right.REPLY},
    "conversations.inbox.triage.ranking": {"set_priority": Right.REPLY},
    "conversations.inbox.triage.resolving": {"resolve": Right.REPLY},
    "conversations.hand_off.writing": {"begin_writing": Right.REPLY, "end_writing": Right.REPLY},
    "conversations.inbox.labels": dict.fromkeys(("change_label", "create_label", "delete_label"), Right.MANAGE_LABELS),
    "conversations.staffing.presence": dict.fromkeys(("stay", "set_away"), Right.REPLY),
    "conversations.staffing.teams": dict.fromkeys(
        ("create_team", "change_team", "move_team_up", "delete_team", "set_assignment"), Right.MANAGE_INBOX
    ),
    "conversations.opening.changing": {"change_opening_hours": Right.MANAGE_WIDGET},
    "conversations.pre_chat.changing": {"change_pre_chat": Right.MANAGE_WIDGET},
    "helpdesk.api_keys.domain": {"create_key": Right.MANAGE_API_KEYS, "revoke_key": Right.MANAGE_API_KEYS},
    "helpdesk.users.invitations": {
        "invite": Right.MANAGE_PEOPLE,
        "invite_again": Right.MANAGE_PEOPLE,
        "revoke_invitation": Right.MANAGE_PEOPLE,
    },
    "helpdesk.users.people": {"change_role": Right.MANAGE_PEOPLE, "remove_member": Right.MANAGE_PEOPLE},
    "helpdesk.users.second_step": {"require_second_step": Right.MANAGE_SECURITY},
    "knowledge.domain": dict.fromkeys(
        ("save_article", "publish_article", "archive_article", "restore_article", "restore_version"),
        Right.EDIT_KNOWLEDGE,
    ),
    "reviews.domain": dict.fromkeys(("give_verdict", "next_item", "skip_item", "take_back"), Right.REVIEW_ANSWERS),
    "reviews.exporting": {"export_examples": Right.MANAGE_REVIEWS},
    "reviews.rules": {"change_rules": Right.MANAGE_REVIEWS},
    "tracing.holds": {"place_hold": Right.MANAGE_RETENTION, "release_hold": Right.MANAGE_RETENTION},
    "tracing.jobs": {"request_analysis": Right.READ_TRACE_CONTENT},
    "tracing.read": {"open_trace": Right.READ_TRACE_CONTENT, "open_trace_and_analyses": Right.READ_TRACE_CONTENT},
    "tracing.retention": {"set_policy": Right.MANAGE_RETENTION},
}
OTHERS: dict[str, set[str]] = {
    "conversations.domain": {
        "begin_visit", "cancel_wait", "leave_conversation", "leave_email", "say_solved", "set_context", "visitor_of",
    },
    "conversations.inbox.actions": {"snooze_end"},
    "conversations.inbox.notes": {"notes_of", "with_notes"},
    "conversations.inbox.canned": {"canned_replies", "offers"},
    "conversations.inbox.seeing": {"unread_counts", "mentioned_in", "call"},
    "conversations.inbox.drafts": {"draft_in", "drafted"},
    "conversations.inbox.macros": {"macros"},
    "conversations.inbox.saved_views": {"views_of"},
    "conversations.inbox.triage.parking": {"wake_due"},
    "conversations.inbox.labels": {"counted_labels", "labels_by_name", "labels_of", "labels_prefetched"},
    "conversations.staffing.presence": {"presence_of"},
    "conversations.staffing.teams": {"capacities", "teams"},
    "helpdesk.api_keys.domain": {"recognise"},
    "helpdesk.users.invitations": {
        "accept_as", "accept_vouched_for", "accept_with_password", "end_open", "find_offer", "reopen_offer", "waiting_invitation",
        "waiting_invitations",
    },
    "helpdesk.users.people": {"may_give", "members"},
    "helpdesk.users.second_step": {"ask_for_second_step", "forget_second_step", "is_required_of", "people_with_second_step"},
    "knowledge.domain": {"checked_text", "free_slug", "new_article"},
    "reviews.domain": {"last_review", "waiting_for"},
    "reviews.exporting": {"labelled_answers"},
    "reviews.rules": {"review_rules"},
    "tracing.holds": {"active_hold_of", "active_holds", "refuse_when_held", "shown_holds"},
    "tracing.jobs": {
        "claim_job", "fail_job", "finish_job", "give_back_job", "has_open_jobs", "open_jobs", "recover_jobs", "renew_job",
        "request_automatic",
    },
    "tracing.read": {
        "accesses_of", "open_own_answer", "open_trace_and_analyses_from_shell", "open_trace_for_client",
        "open_trace_from_shell", "trace_by_id", "trace_of_reply", "trace_shape",
    },
    "tracing.retention": {"apply_retention", "current_policy", "due_counts", "has_limits"},
}  # fmt: skip
CASES = [(f"{module}.{name}", right) for module, functions in NEEDED.items() for name, right in functions.items()]


def functions_of(module: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The public functions that the module defines."""
    for name, value in vars(import_module(module)).items():
        if inspect.isfunction(value) and value.__module__ == module and not name.startswith("_"):
            yield name, value


@pytest.mark.parametrize("module", sorted(NEEDED))
def test_every_domain_function_checks_its_right(module: str) -> None:
    """A new function of such a module says what it needs (`@needs`, and a row above), or stands among the others."""
    checked = {name: value.needed_right for name, value in functions_of(module) if hasattr(value, "needed_right")}
    unchecked = {name for name, value in functions_of(module) if not hasattr(value, "needed_right")}
    assert (checked, unchecked) == (NEEDED[module], OTHERS.get(module, set()))


@pytest.mark.parametrize(("path", "right"), CASES)
@pytest.mark.parametrize("role", list(Role))
def test_a_role_without_the_right_is_refused_before_anything_is_looked_at(path: str, right: Right, role: Role) -> None:
    module, _, name = path.rpartition(".")
    function = getattr(import_module(module), name)
    # Without arguments: whoever has the right gets as far as the function itself, which misses them.
    with acting_with(RIGHTS[role]), pytest.raises(TypeError if right in RIGHTS[role] else Forbidden):
        function()


def test_the_documentation_shows_the_table() -> None:
    text = (ROOT / "docs/owners.md").read_text(encoding="utf-8").partition("## Roles")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)`: [^|]+\|(.+)\|$", text, re.MULTILINE)
    roles = [Role(cell.strip()) for cell in text.split("\n| |")[1].split("\n")[0].strip(" |").split("|")]
    shown = {
        (role, Right(right))
        for right, cells in rows
        for role, cell in zip(roles, cells.split("|"), strict=True)
        if cell.strip() == "yes"
    }
    assert shown == {(role, right) for role, rights in RIGHTS.items() for right in rights}


def test_a_page_that_forgets_its_door_changes_nothing() -> None:
    @needs(Right.REPLY)
    def change() -> str:
        return "changed"

    def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponse(change())

    assert nobody_yet(answer)(RequestFactory().get("/widget/")).content == b"changed"
    with pytest.raises(Forbidden):
        nobody_yet(answer)(RequestFactory().get("/desk/tea/inbox/"))
    assert change() == "changed"


@pytest.mark.django_db
def test_every_page_of_the_desk_asks_for_a_person(client: Client) -> None:
    response = client.get("/desk/tea/people/")
    assert (response.status_code, response.url.startswith("/accounts/login/")) == (302, True)
