"""What the desk says to codes, names, quantities, scripts and mails, with the packaged embedding model and small articles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from evaluation.question_sets import remove_tenant
from inference_worker.answering.embedding import embed_version
from inference_worker.engine.embedder import EmbedderSettings, SentenceTransformerEmbedder
from knowledge.domain import publish_article, save_article
from knowledge.folding import folded
from knowledge.quoting.deciding import Decision, decide
from knowledge.quoting.questions import questions_in
from knowledge.search.retrieval import search
from tests.factories import make_tenant

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

ARTICLES = [
    ("en", "Pond pumps", "## QT-40\n\nThe QT-40 lifts 35 litres a minute and weighs 2.8 kg.\n\n## QT-60B\n\n"
     "The QT-60B lifts 70 litres a minute and weighs 4.1 kg.\n\n## QT-90\n\n"
     "The QT-90 lifts 150 litres a minute and weighs 8 kg."),
    ("zh", "QT-60B 水泵参数",
     "QT-60B水泵流量为70L/min，额定功率820W，质保24个月。QT-40水泵流量为35L/min，额定功率310W，质保12个月。"),
    ("en", "Shipping abroad",
     "We ship to Iceland and to Denmark within nine working days. Customs fees are paid by the recipient."),
    ("en", "Returning climbing gear", "Harnesses and ropes cannot be returned once the seal has been opened."),
    ("en", "Ways to pay", "You can pay with Visa, Mastercard or an invoice within 14 days."),
    ("en", "Student discount", "Stu\u200bdents get 12 % off backpacks. The dis\u00adcount code is LEC\u200bTURE12."),
    ("en", "Courier delivery", "Courier delivery costs €6.80 per parcel and takes two working days."),
    ("zh", "运费说明", "订单满159元包邮；不满159元收运费１０元。"),
    ("zh", "积分", "積分有效期為三年，過期作廢。"),
    ("zh", "退換貨", "未拆封的商品可在二十天內退貨，退貨運費由顧客承擔。"),
    ("en", "Care of lamps", "Wipe the lamp with a dry cloth once a month."),
    ("en", "Membership", "The Lantern membership costs €11 a month and includes eight parcels."),
]  # fmt: skip

ANSWERED = [
    ("What does the QT-60B weigh?", "4.1 kg"),
    ("how heavy is the qt60b", "4.1 kg"),
    ("What is the weight of the QT 90?", "8 kg"),
    ("QT60B多少瓦？", "820W"),
    ("ＱＴ－４０的流量是多少？", "35L/min"),
    ("Do you ship to Iceland?", "Iceland"),
    ("do you ship to denmark?", "Denmark"),
    ("Can I pay with Visa?", "Visa"),
    ("What is LECTURE12?", "LECTURE12"),
    ("How much is courier delivery?", "€6.80"),
    ("運費多少錢？", "10元"),
    ("运费多少钱？", "10元"),
    ("积分多久过期？", "三年"),
    ("怎么退货？", "二十天"),
    ("How much is the Lantern membership?", "€11"),
]
DECLINED = [
    ("What is the weight of the QT-50?", ("QT-40", "QT-60B", "QT-90")),
    ("How many litres a minute does the QT-60C lift?", ("QT-40", "QT-60B", "QT-90")),
    ("How many litres a minute does the ZK-900 lift?", ()),
    ("QT-50的流量是多少？", ("QT-40", "QT-60B", "QT-90")),
    ("What is LECTURE15?", ("LECTURE12",)),
    ("Do you ship to Norway?", ()),
    ("do you ship to sweden?", ()),
    ("可以寄到挪威吗？", ()),
    ("Can I pay with Klarna?", ()),
    ("How much is the Harbour membership?", ()),
]
UNCERTAIN = ["Can I return a tent?", "Can I return a helmet?"]
MAIL = (
    "Hello, my name is Ole Lund and I moved house last month, which is why I write only now. I bought two lamps of yours in "
    "spring and both are still doing very well in the hall. My sister was here at the weekend and liked them so much that "
    "she wants a parcel too. My question is how much courier delivery costs. Thank you very much and kind regards, Ole"
)


@pytest.fixture(scope="module")
def ask(
    embeddings_folder: Path, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Callable[[str], Decision]]:
    """Asks the embedded articles."""
    embedder = SentenceTransformerEmbedder(
        EmbedderSettings(model=str(embeddings_folder), name="multilingual-e5-small"), fold=folded
    )
    with django_db_blocker.unblock():
        tenant = make_tenant("what-is-named")
        for language, title, body in ARTICLES:
            version = save_article(tenant_id=tenant.id, title=title, body=body, language=language)
            publish_article(tenant_id=tenant.id, article_id=version.article_id)
            embed_version(tenant.id, version.pk, embedder)

        def ask(question: str) -> Decision:
            vector = embedder.embed_query(question)
            return decide(search(tenant_id=tenant.id, query=question, query_vector=vector))

        yield ask
        remove_tenant(tenant)


def told(decision: Decision) -> str:
    return " ".join(quote.text for quote in decision.selection.quotes) if decision.selection.answerable else ""


@pytest.mark.parametrize(("question", "words"), ANSWERED)
def test_what_the_articles_say_is_quoted(ask: Callable[[str], Decision], question: str, words: str) -> None:
    decision = ask(question)
    assert words in told(decision), decision
    assert decision.verdict.missing == ()


@pytest.mark.parametrize(("question", "known"), DECLINED)
def test_what_no_article_knows_is_declined(
    ask: Callable[[str], Decision], question: str, known: tuple[str, ...]
) -> None:
    decision = ask(question)
    assert told(decision) == "", decision
    assert decision.verdict.known_alternatives == known


@pytest.mark.parametrize("question", UNCERTAIN)
def test_an_answer_about_something_else_is_uncertain_at_most(ask: Callable[[str], Decision], question: str) -> None:
    decision = ask(question)
    assert not decision.selection.answerable or decision.verdict.missing, decision


def test_a_mail_is_answered_by_its_question(ask: Callable[[str], Decision]) -> None:
    finds = [ask(question) for question in questions_in(MAIL)]
    assert any("€6.80" in told(find) for find in finds)
