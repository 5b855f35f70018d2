"""Every error code that an API can answer stands in its page, with its status, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest

import helpdesk.urls  # noqa: F401 - with everything that an endpoint can raise
from conversations import failures
from conversations.failures import FailureCode
from helpdesk.errors import Conflict, Forbidden, GlassdeskError, InvalidInput, NotFound, NotSignedIn
from tests.conftest import ROOT
from tests.test_architecture import SOURCE_FOLDERS
from tracing.job_failures import JobFailure, sentence_of

# People's sessions, forms and policies, and the chat's own page (docs/protocol.md): API clients meet none of these.
OF_PAGES_ONLY = {
    NotSignedIn.code,
    Conflict.code,
    "retention_policy",
    "change_not_logged",
    "invitation_gone",
    "mail_not_sent",
    "last_owner",
    "second_step_required",
    "second_step_first",
    "second_step_unreadable",
    "already_taken",
    "answered_meanwhile",
    "newer_conversation",
    "survey_over",
    "link_expired",
    "identity_refused",
    "ticket_expired",
    "website_refused",
    "cause_missing",
    "reviewed_meanwhile",
    "already_linked",
    "not_vouched_for",
    "not_of_this_company",
    "managed_by_company",
}
# What every endpoint can raise. Those of `/v1` find nothing by an id, open nothing and read JSON whatever its type.
SHARED = (
    "helpdesk.errors",
    "helpdesk.api.errors",
    "helpdesk.api.idempotency",
    "helpdesk.api.json_body",
    "helpdesk.api_keys.errors",
)
NOT_OF_OPENAI = {Forbidden.code, NotFound.code, "not_acceptable", "unsupported_media_type"}


def subclasses(of: type[GlassdeskError]) -> Iterator[type[GlassdeskError]]:
    yield of
    for each in of.__subclasses__():
        yield from subclasses(each)


def raised(*, by_openai: bool) -> set[tuple[int, str]]:
    """Status and code of every error class of the source."""
    found = set()
    for error in subclasses(GlassdeskError):
        module = error.__module__
        is_openais = module.startswith(("openai_api.", "chat_requests."))
        if module.split(".")[0] not in SOURCE_FOLDERS or (not by_openai and is_openais):
            continue
        if by_openai and not is_openais and (module not in SHARED or error.code in NOT_OF_OPENAI):
            continue
        code = "invalid_value" if by_openai and error is InvalidInput else error.code
        found.add((error.status, code))
    return {(status, code) for status, code in found if code not in OF_PAGES_ONLY}


def documented(page: str) -> set[tuple[int, str]]:
    """The rows of the page's table of errors."""
    section = (ROOT / "docs" / page).read_text().partition("\n## Errors\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([\d, ]+) \| (.+?) \|", section, re.MULTILINE)
    found = set()
    for statuses, cell in rows:
        codes, given = re.findall(r"`(\w+)`", cell), [int(status) for status in statuses.split(",")]
        found |= set(zip(given if len(given) > 1 else given * len(codes), codes, strict=True))
    return found


def test_the_page_of_the_rest_api_has_every_code() -> None:
    assert documented("api.md") == raised(by_openai=False)


def test_the_page_of_the_openai_endpoint_has_every_code() -> None:
    assert documented("openai.md") == raised(by_openai=True)


def documented_in(section: str) -> set[str]:
    """The codes that a part of the REST API's page explains."""
    return set(re.findall(r"`([a-z_]+)`", section))


def test_the_page_of_the_rest_api_has_every_code_of_a_failed_reply() -> None:
    table = (ROOT / "docs/api.md").read_text().partition("| `error.code` |")[2].partition("\n\n")[0]
    assert documented_in(table) == set(FailureCode.values)


def test_the_page_of_the_rest_api_has_every_code_of_a_failed_analysis() -> None:
    text = (ROOT / "docs/api.md").read_text().partition("in `error` why:")[2].partition("\n\n")[0]
    assert documented_in(text) == set(JobFailure.values)


@pytest.mark.parametrize(
    "sentences",
    [failures._FOR_CUSTOMERS, failures._FOR_THE_DESK, failures._FOR_API_CLIENTS],
    ids=["customers", "desk", "api"],
)
def test_every_kind_of_reader_has_a_sentence_for_every_code_of_a_failed_reply(sentences: Mapping[str, object]) -> None:
    assert set(sentences) == set(FailureCode)


def test_every_code_of_a_failed_analysis_has_a_sentence() -> None:
    assert [code for code in JobFailure if sentence_of(code) == code] == []
