"""Greetings, mails, codes that do not exist: from the socket to the trace, with the scripted engine."""

from __future__ import annotations

from uuid import UUID

import pytest

from conversations.inbound import from_shell
from conversations.intake import receive
from conversations.models import Author, Conversation, Message
from conversations.parameters import RequestParameters
from conversations.queries import waiting_position
from helpdesk.facts.kinds import FactKind
from helpdesk.facts.models import Fact
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.engine.scripted import ScriptedEngine
from tests.integration.inference_worker.conftest import publish, wait_for
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


HANDED_OVER = {
    "en": "I have asked a person to take over. They can read what you wrote here, and will answer you in this conversation.",
    "zh": "已为您转人工客服。客服人员能看到以上对话，会在这里回复您。",
}


@pytest.mark.parametrize(
    ("message", "language"),
    [
        ("轉人工", "zh"),
        ("Can I talk to a human, please?", "en"),
        ("The answer is wrong, can I please talk to a human about my refund?", "en"),
    ],
)
async def test_who_wants_a_person_is_told_and_waits_for_one(
    shop: Tenant, engine: ScriptedEngine, message: str, language: str
) -> None:
    customer: Customer = await customer_of(shop)
    await customer.connect()
    await customer.ask(message)
    await customer.until(lambda: any(each["author"] == "system" for each in customer.messages.values()))
    await customer.drop()
    (answer,) = customer.answers
    assert (answer["body"], answer["kind"], answer["outcome"]) == (HANDED_OVER[language], "hand_off", "answered")

    def rows() -> tuple[list[str], str, int | None, list[object]]:
        conversation = Message.objects.get(position=1).conversation
        facts = Fact.objects.filter(kind=FactKind.STATUS_CHANGED)
        return (
            list(Message.objects.order_by("position").values_list("body", flat=True)),
            conversation.status,
            waiting_position(conversation),
            [fact.data for fact in facts],
        )

    assert await scoped(shop, rows) == (
        [message, HANDED_OVER[language], "person_requested"],
        "waiting",
        1,
        [{"assignee": None, "status": "waiting", "reason": "requested"}],
    )
    assert (await content_of(shop)).kind == "hand_off"
    assert engine.requests == []


@pytest.mark.parametrize(
    ("message", "part"),
    [
        ("This is unacceptable, I am angry!", "I am sorry about this"),
        ("太差了，我要投诉", "非常抱歉"),
        ("Where is my order 12345?", "I cannot look into orders"),
        ("我的快递到哪了", "我无法查询具体的订单"),
    ],
)
async def test_a_complaint_and_an_own_order_are_offered_a_person(shop: Tenant, message: str, part: str) -> None:
    answer = await answer_to(shop, message)
    assert part in str(answer["body"])
    assert (answer["outcome"], answer["kind"], answer["sources"], answer["confidence_band"]) == (
        "answered",
        "hand_off",
        [],
        "",
    )
    assert await scoped(shop, lambda: Message.objects.first().conversation.status) == "ai"  # type: ignore[union-attr]


@pytest.mark.parametrize(("message", "part"), [("was the order delivered", "I cannot look into orders")])
async def test_an_order_that_no_article_answers_is_no_search_that_failed(shop: Tenant, message: str, part: str) -> None:
    answer = await answer_to(shop, message)
    assert (answer["outcome"], answer["kind"]) == ("refused", "refusal")
    assert part in str(answer["body"])


@pytest.mark.parametrize(
    ("question", "yes"), [("Do you sell used tractors in Peru?", "Yes, please"), ("你们卖拖拉机吗", "好的")]
)
async def test_yes_to_the_offer_of_a_person_asks_for_one(shop: Tenant, question: str, yes: str) -> None:
    customer = await customer_of(shop)
    await customer.connect()
    await customer.ask(question)
    await customer.until(lambda: len(customer.done) == 1)
    await customer.ask(yes)
    await customer.until(lambda: len(customer.done) == 2)
    await customer.drop()
    assert [each["kind"] for each in customer.answers] == ["refusal", "hand_off"]
    assert await scoped(shop, lambda: Message.objects.get(position=1).conversation.status) == "waiting"


async def test_the_shell_is_offered_a_person_for_whom_nobody_would_wait(shop: Tenant) -> None:
    def asked() -> tuple[str, str, str]:
        inbound = from_shell(tenant_id=shop.id, body="I want a person", language="en", parameters=RequestParameters())
        posted = receive(inbound)
        wait_for(lambda: _answers(shop))
        (answer,) = _answers(shop)
        return answer.body, answer.kind, _status_of(shop, posted.conversation.id)

    assert await off_loop(asked)() == ("A person can help you. Would you like to talk to one?", "hand_off", "ai")


def _answers(tenant: Tenant) -> list[Message]:
    with tenant_atomic(tenant.id):
        return list(Message.objects.filter(author=Author.AI))


def _status_of(tenant: Tenant, conversation_id: UUID) -> str:
    with tenant_atomic(tenant.id):
        return Conversation.objects.get(id=conversation_id).status


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


async def test_two_questions_get_two_answers_and_a_sentence_about_what_is_not_found(
    shop: Tenant, engine: ScriptedEngine
) -> None:
    await off_loop(publish)(shop, "Pumps", PUMPS)
    answer = await answer_to(
        shop,
        "How many working days does express delivery take, and how many litres a minute does the KL-35 lift?"
        " How many litres a minute does the KL-30 lift?",
    )
    text = str(answer["body"])
    assert text.index("Express delivery takes one working day") < text.index("The KL-35 lifts 120 litres a minute.")
    assert text.endswith(
        "\nI found nothing in our articles about: “How many litres a minute does the KL-30 lift”."
        " A person can tell you."
    )
    assert "KL-20A" not in text
    assert (answer["outcome"], answer["kind"]) == ("answered", "partial")
    assert [source["title"] for source in answer["sources"]] == ["Delivery and returns", "Pumps"]  # type: ignore[attr-defined]
    content = await content_of(shop)
    assert content.search_query == (
        "How many working days does express delivery take?\nhow many litres a minute does the KL-35 lift?\n"
        "How many litres a minute does the KL-30 lift?"
    )
    (note,) = [each for each in content.stages if each.stage == "several_questions"]
    assert (note.stage, note.verdict, note.figures) == ("several_questions", "some_open", {"asked": 3.0, "open": 1.0})
    assert len(engine.requests) == 1


async def test_which_of_two_things_is_meant_is_asked_and_the_choice_understood(
    shop: Tenant, engine: ScriptedEngine
) -> None:
    await off_loop(publish)(shop, "Rented boxes", "Rented boxes cost nine euros.")
    await off_loop(publish)(shop, "Rented crates", "Rented crates cost nine euros.")
    customer = await customer_of(shop)
    await customer.connect()
    await customer.ask("rented?")
    await customer.until(lambda: len(customer.done) == 1)
    await customer.ask("the second one")
    await customer.until(lambda: len(customer.done) == 2)
    await customer.drop()
    asked_back, answer = customer.answers
    titles = [source["title"] for source in asked_back["sources"]]
    assert sorted(titles) == ["Rented boxes", "Rented crates"]
    assert asked_back["body"] == f"Do you mean: {titles[0]}, or {titles[1]}?"
    assert (asked_back["kind"], asked_back["confidence_band"]) == ("clarifying", "")
    assert answer["body"] == f"{titles[1]} cost nine euros."
    assert len(engine.requests) == 1


async def test_a_correction_is_answered_about_the_corrected_thing(shop: Tenant) -> None:
    await off_loop(publish)(shop, "Pumps", PUMPS)
    customer = await customer_of(shop)
    await customer.connect()
    await customer.ask("How many litres a minute does the KL-20A lift?")
    await customer.until(lambda: len(customer.done) == 1)
    await customer.ask("no, I meant the KL-35")
    await customer.until(lambda: len(customer.done) == 2)
    await customer.drop()
    assert [answer["body"] for answer in customer.answers] == [
        "The KL-20A lifts 40 litres a minute.",
        "The KL-35 lifts 120 litres a minute.",
    ]
