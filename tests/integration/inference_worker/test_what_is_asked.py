"""Greetings, mails, codes that do not exist: from the socket to the trace, with the scripted engine."""

from __future__ import annotations

import pytest

from conversations.models import Message, Reply
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.engine.scripted import ScriptedEngine
from tests.integration.inference_worker.conftest import publish
from tests.integration.inference_worker.customer import Customer
from tests.integration.inference_worker.test_answering import customer_of, off_loop, scoped
from tracing.content import TraceContent
from tracing.models import Trace
from tracing.parts import confidence_parts
from tracing.read import open_trace_from_shell

PUMPS = "The KL-20A lifts 40 litres a minute. The KL-35 lifts 120 litres a minute."
MAIL = """Dear team,

my name is Hanna Berg and I have been a customer of yours for many years now. In March I ordered two large pots for
the terrace, and both arrived in good order, well wrapped and much earlier than I had hoped for, which made my whole
week. Since then my sister has seen them and would like to have some as well, only that she moves house at the end of
the month and needs to plan a little. She lives on the third floor, has a small balcony towards the south and a dog
that likes to dig, so that we have been talking about little else lately. I have looked through your pages and through
my old mails, and I am sorry if I have overlooked something obvious there; it would not be the first time, and my
sister says that I never read anything to its end before I write to somebody about it.

My question is: how many working days does express delivery take?

Thank you very much for your help, and please greet the friendly colleague who packed the last parcel.

Kind regards,
Hanna Berg
Fernhill Lane 12
"""


async def answer_to(tenant: Tenant, question: str) -> dict[str, object]:
    customer = await customer_of(tenant)
    await customer.connect()
    await customer.ask(question)
    await customer.until(lambda: customer.done)
    await customer.drop()
    (answer,) = customer.answers
    return answer


async def content_of(tenant: Tenant) -> TraceContent:
    return await scoped(tenant, lambda: open_trace_from_shell(trace=Trace.objects.get(), reason="a test reads it"))


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Hi", "Hello! How can I help?"),
        ("你好", "您好！请问有什么可以帮您？"),
        ("Thanks!", "You're welcome. Is there anything else I can help with?"),
        ("謝謝", "不客气！还有什么可以帮您的吗？"),
        ("bye", "Goodbye, and thank you for writing."),
    ],
)
async def test_small_talk_gets_a_fixed_text_that_claims_nothing(
    shop: Tenant, engine: ScriptedEngine, message: str, words: str
) -> None:
    answer = await answer_to(shop, message)
    assert (answer["body"], answer["outcome"], answer["sources"], answer["confidence_band"]) == (
        words,
        "answered",
        [],
        "",
    )
    content = await content_of(shop)
    assert (content.style, content.confidence.band, content.candidates, content.search_query) == ("fixed", "", (), None)
    assert engine.requests == []


@pytest.mark.parametrize("message", ["人工", "轉人工", "Can I talk to a human, please?"])
async def test_who_only_wants_a_person_waits_for_one_at_once(shop: Tenant, message: str) -> None:
    customer: Customer = await customer_of(shop)
    await customer.connect()
    await customer.ask(message)
    await customer.until(lambda: any(each["author"] == "system" for each in customer.messages.values()))
    await customer.drop()
    assert customer.answers == []

    def rows() -> tuple[list[str], int, str]:
        bodies = list(Message.objects.order_by("position").values_list("body", flat=True))
        return bodies, Reply.objects.count(), Message.objects.get(position=1).conversation.status

    assert await scoped(shop, rows) == ([message, "person_requested"], 0, "waiting")


async def test_a_code_that_does_not_exist_is_declined_by_naming_what_is_known(
    shop: Tenant, engine: ScriptedEngine
) -> None:
    await off_loop(publish)(shop, "Pumps", PUMPS)
    answer = await answer_to(shop, "How many litres a minute does the KL-30 lift?")
    assert answer["outcome"] == "refused"
    assert answer["body"] == (
        "Our help articles mention KL-20A and KL-35, not KL-30. Would you like to talk to a person?"
    )
    content = await content_of(shop)
    assert [(each.text, each.kind, each.is_unknown) for each in content.missing] == [("KL-30", "code", True)]
    assert content.confidence.is_unmentioned
    (named,) = [part for part in confidence_parts(content) if part.name == "What the question names"]
    assert (named.value, named.band) == ("missing: “KL-30”", "low")
    assert engine.requests == []


async def test_a_mail_of_a_thousand_characters_is_answered_by_its_question(shop: Tenant) -> None:
    assert len(MAIL) > 1_000
    answer = await answer_to(shop, MAIL)
    assert answer["outcome"] == "answered"
    assert "Express delivery takes one working day" in str(answer["body"])
    content = await content_of(shop)
    assert content.search_query == "how many working days does express delivery take?"


async def test_a_greeting_before_it_does_not_become_part_of_a_question(shop: Tenant) -> None:
    customer = await customer_of(shop)
    await customer.connect()
    await customer.ask("Hi")
    await customer.until(lambda: len(customer.done) == 1)
    await customer.ask("Express delivery days?")
    await customer.until(lambda: len(customer.done) == 2)
    await customer.drop()

    def searched() -> list[str | None]:
        with tenant_atomic(shop.id):
            traces = Trace.objects.order_by("sequence")
            return [open_trace_from_shell(trace=trace, reason="a test").search_query for trace in traces]

    assert await off_loop(searched)() == [None, "Express delivery days?"]
