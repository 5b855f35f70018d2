"""Greetings, mails, codes that do not exist: from the socket to the trace, with the scripted engine."""

from __future__ import annotations

from uuid import UUID

import pytest

from conversations.inbound import from_shell
from conversations.intake import receive
from conversations.intents import Intent, open_intent
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


@pytest.mark.parametrize(
    "message",
    [
        "轉人工",
        "Can I talk to a human, please?",
        "The answer is wrong, can I please talk to a human about my refund?",
    ],
)
async def test_who_wants_a_person_waits_for_one_at_once(shop: Tenant, engine: ScriptedEngine, message: str) -> None:
    customer: Customer = await customer_of(shop)
    await customer.connect()
    await customer.ask(message)
    await customer.until(lambda: any(each["author"] == "system" for each in customer.messages.values()))
    await customer.drop()

    def rows() -> tuple[list[str], str, int | None, list[object], int]:
        conversation = Message.objects.get(position=1).conversation
        facts = Fact.objects.filter(kind=FactKind.STATUS_CHANGED)
        return (
            list(Message.objects.order_by("position").values_list("body", flat=True)),
            conversation.status,
            waiting_position(conversation),
            [fact.data["status"] for fact in facts],
            Trace.objects.count(),
        )

    assert await scoped(shop, rows) == ([message, "person_requested"], "waiting", 1, ["waiting"], 0)
    assert (customer.answers, engine.requests) == ([], [])


CONTACT = "You reach us by phone on working days. The number of our customer service is 030 5550 2211."
CONTACT_ZH = "工作日可以打电话联系客服。客服电话是 030 5550 2211。"


@pytest.mark.parametrize(
    ("question", "title", "text", "language", "offer"),
    [
        (
            "How can I reach customer service by phone?",
            "Reaching customer service by phone",
            CONTACT,
            "en",
            "\nYou can also talk to a person right here. Would you like to?",
        ),
        ("客服电话是多少", "客服电话", CONTACT_ZH, "zh", "\n您也可以直接在这里和人工客服聊聊，需要吗？"),
    ],
)
async def test_who_asks_how_to_reach_a_person_reads_it_and_is_offered_one(
    shop: Tenant, question: str, title: str, text: str, language: str, offer: str
) -> None:
    await off_loop(publish)(shop, title, text, language)
    customer = await customer_of(shop)
    await customer.connect()
    await customer.ask(question)
    await customer.until(lambda: len(customer.done) == 1)
    (answer,) = customer.answers
    assert ("030 5550 2211" in answer["body"], answer["body"].endswith(offer)) == (True, True)
    assert (answer["outcome"], answer["kind"], [each["title"] for each in answer["sources"]]) == (
        "answered",
        "hand_off",
        [title],
    )
    assert (await content_of(shop)).kind == "hand_off"
    await customer.ask("Yes, please")
    await customer.until(lambda: any(each["author"] == "system" for each in customer.messages.values()))
    await customer.drop()
    assert await scoped(shop, lambda: Message.objects.get(position=1).conversation.status) == "waiting"


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
    # By the usual rules a complaint waits for a person at once.
    expected = "waiting" if open_intent(message) is Intent.COMPLAINT else "ai"
    assert await scoped(shop, lambda: Message.objects.first().conversation.status) == expected  # type: ignore[union-attr]


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
    await customer.until(lambda: any(each["author"] == "system" for each in customer.messages.values()))
    await customer.drop()
    assert [each["kind"] for each in customer.answers] == ["refusal"]
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
    (named,) = [part for part in confidence_parts(content) if part.name == "Things named in the question"]
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


async def test_of_more_than_three_questions_the_rest_is_named_and_can_be_asked_again(shop: Tenant) -> None:
    await off_loop(publish)(shop, "Pumps", PUMPS)
    answer = await answer_to(
        shop,
        "How many working days does express delivery take? How many litres a minute does the KL-35 lift?"
        " How many litres a minute does the KL-20A lift? How many working days does standard delivery take?"
        " Can I return a pump?",
    )
    text = str(answer["body"])
    assert "Express delivery takes one working day" in text
    assert text.endswith(
        "\nI answer up to 3 questions at a time. Not looked at yet: “How many working days does standard delivery take”,"
        " “Can I return a pump”. Send them again one by one and I will answer each."
    )
    assert answer["kind"] == "partial"
    content = await content_of(shop)
    (note,) = [each for each in content.stages if each.stage == "several_questions"]
    assert (note.verdict, note.figures) == ("some_left", {"asked": 5.0, "open": 0.0, "left": 2.0})


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
