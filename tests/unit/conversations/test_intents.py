"""What needs no article: greetings, the wish for a person, a complaint, one's own order; and what only looks like it."""

from __future__ import annotations

import random
import re
import time

import pytest

from conversations.intents import (
    Intent,
    accepts_offer,
    asks_for_contact,
    contact_phrases,
    fixed_words,
    handing_over_words,
    intent_of,
    open_intent,
    person_here_words,
    phrases,
    without_small_talk,
)
from conversations.intents.spelling import Speller, is_one_slip

MEANT = {
    Intent.GREETING: (
        "Hi|Hello!|hey there|Good morning|你好|您好！|在吗？|早上好|Hi 👋|?|哈喽|How are you?|helo|Helllloooo|hii|"
        "heyyy|ＨＥＬＬＯ|good mornign|Can you help me?|大家好|妳好|hello, how are you today?"
    ),
    Intent.THANKS: (
        "Thanks|Thank you very much!|ok thanks|thx|That helped, thank you|谢谢|好的，谢谢|謝謝你|明白了|Great|"
        "Thanks for helping me out today|Thanks, you've been very helpful|thank you for your patience|thnaks|"
        "thankss|tahnks a lot|thank u|youre the best|谢谢啦|感謝|太棒了，谢谢"
    ),
    Intent.PARTING: (
        "bye|Goodbye!|see you later|Have a nice day|再见|拜拜|再見|晚安|Bye bye|Good night|"
        "It was a pleasure talking to you, goodbye|godbye|byeee|thanks, bye|先这样，拜拜"
    ),
    Intent.PERSON: (
        "human|agent|Talk to a person|speak to someone|I want to talk to a real human please|live chat|"
        "Can I speak to someone?|Could you connect me to an agent?|customer service|人工|转人工|轉人工|人工客服|"
        "我要找人工|请帮我转人工客服，谢谢|我想和真人聊聊|客服|I'd rather talk to a person|"
        "can I talk to somebody from your team?|我要找人|"
        "The answer is wrong, can I please talk to a human about my refund?|I want a person|"
        "id like to speak with a real persn|huamn please|i want to talk to a humn|get me a manager|"
        "Your answer makes no sense. I need to speak to a supervisor now!|hi, can i talk to someone please|"
        "I don't want to talk to a bot|no bots|回答不对，转人工|我要人工|麻烦转接人工服务|能不能找个真人跟我说|"
        "叫你们经理来|ＨＵＭＡＮ|I WANT TO TALK TO A HUMAN!!!|Can someone help me?|let me talk to a person|"
        "Can I talk to a person about Sunday delivery?|i need to talk to someone about fraud on my card|找人工|"
        "我想跟人工客服说话|請轉人工客服|need human|want to talk to a person|need to speak to someone|I want human help|"
        "transfer me|人工人工|人工在吗？|我要跟人说话|叫个人来|人工！！"
    ),
    Intent.ROBOT: (
        "are you a robot|你是机器人吗|am I talking to a human|Are you human?|are you real|is this a bot?|"
        "你是真人吗|是人工还是机器人|我在跟机器人说话吗|r u a bot|are you a robt|你是机器人还是真人|您是AI吗|"
        "Hi, are you a robot?|你是不是機器人|are you chatgpt"
    ),
    Intent.IDENTITY: (
        "who are you|what can you do|你是谁|你能做什么|What's your name?|whats ur name|你叫什么名字|who made you|"
        "谁开发了你|what can I ask you|你有什么功能|妳是誰|Hello, who are you?"
    ),
    Intent.COMPLAINT: (
        "Thanks for nothing, where is my parcel?|this is unacceptable|I am angry|投诉|太差了|我要投诉|"
        "This is unacceptable, I am angry!|I'm very disappointed with your service|terrible service|你们太差了|"
        "垃圾|worst company ever|this is rediculous|unacceptble|我要投訴你們|气死我了|态度太差了|you are useless|"
        "I want to make a complaint|什么垃圾服务|我很生气|太过分了|我对你们非常失望|服务太差了！|"
        "I'm so angry right now|this is a joke|im furious|我想投诉"
    ),
    Intent.ORDER: (
        "where is my order 12345|我的快递到哪了|查一下订单|where's my parcel?|wheres my package|track my order|"
        "when will my order arrive?|has my order shipped yet?|我的包裹到哪里了|帮我查一下快递|我的订单什么时候发货|"
        "Order 12345?|what is the status of order #4711|wher is my ordr|whats the status of my order|"
        "我的快遞到哪了|查訂單|订单号20231123到哪了|Hi, where is my order?|我的货呢|快递到哪了|"
        "can you check my order status|did my parcel arrive?|where is the order 8812-33|帮我查下物流"
    ),
}
QUESTIONS = (
    "how do I reach a person by phone?|Can I talk to a person on Sundays?|agent fees|"
    "Can a person under 18 order?|人工费多少钱|How many people work here?|退货|12|你好，请问运费多少|"
    "客服几点上班|客服电话|support hours|Who can I contact?|hello kitty|人工草坪|谢谢卡多少钱|test kit|"
    "Thanks for nothing, where is my parcel locker code?|Do you sell human hair?|Thanks I want a refund|"
    "Thank you I lost my invoice|thanks for sending me a dead plant|please delete my account bye|"
    "Thanks I never got the refund|my plant arrived dead bye|i want to cancel my subscription goodbye|"
    "thank you for cancelling my plan without telling me|thanks for the refund form|"
    "it was broken when it came, bye|thanks, you've been charging me twice|怎么联系人工客服|如何转人工|"
    "人工客服几点上班|I don't want to talk to a bot, what number can I ring?|How can I track my order?|"
    "can I track my order?|how long does delivery take|order status|Where do I see my order status?|"
    "What is your return policy?|What are your opening hours?|Who are your suppliers?|what's your address|"
    "are you open|are you closed today|Is this a real leather bag?|is it real?|do robots clean the windows?|"
    "is this machine washable|怎么投诉|投诉电话|想投诉师傅|How do I make a complaint?|投诉几天有结果|"
    "普通快递几天到|怎么查物流|在哪里查订单|订单怎么取消|取消订单|Can I change my order 12345?|"
    "I want to cancel my order 12345|cancel order 12345|return my order|my order 12345 arrived broken|cello|"
    "Do you deliver to Austria?|我的快递是不是丢了？多久算丢件？|what can you do about broken pots?|"
    "who made this lamp?|机器人怎么充电|扫地机器人多少钱|你们是做什么的公司|你们能做定制吗|"
    "can you deliver tomorrow|I am angry at the cat plant label, is it toxic?|"
    "is the customer service open on Sunday?|can I have a person pick up my parcel?|"
    "can someone else pick up my order?|Can I bring someone?|can i have a colleague added to my plan"
)
CONTACT = (
    "How do I reach a person?|can somebody call me|Can you call me back?|could someone ring me tomorrow|"
    "how do I reach a person by phone?|How can I contact you?|how do i contact support by phone|What's your phone number?|"
    "do you have a hotline|who can I contact about a refund?|Is there a number I can call?|what number can I ring|"
    "customer service number|contact|I need a call back|call me|Where can I reach you?|how to contact customer support|"
    "Is there someone I can call?|support email|what is your email address|Hi, how can I reach a human agent?|"
    "I can't reach anyone|how do I speak to someone|Please have someone call me|怎么联系人工|怎么联系人工客服|如何转人工|"
    "怎么联系客服|人工客服怎么联系|怎么找客服|客服电话|客服电话多少|你们的电话是多少|有人工客服吗|联系方式|可以给我打电话吗|"
    "能不能让人给我回个电话|请给我回电话|怎么打电话给你们|在哪里找人工|客服电话打不通|怎么才能联系到真人客服|有客服吗|"
    "我想要电话回访|請問怎麼聯繫客服|有没有人可以打电话给我"
)
NO_CONTACT = (
    "What is your return policy?|How do I reach the shop by bus?|can I call the lift to my floor|what is my order number?|"
    "Do you sell phones?|how do i change my phone number|can i have my parcel left with somebody|how do I find my size|"
    "who do I make the cheque out to|怎么退货|怎么改电话号码|人工费多少钱|手机号怎么换绑|怎么找到我的订单|客服几点下班|"
    "怎么给花浇水|可以给我打折吗|运费多少|联系人怎么改|怎么跟朋友分享"
)
LEFT_OPEN = {
    Intent.ORDER: (
        "我买的快递怎么还没到|order status|was the order delivered|my parcel hasn't moved for a week|"
        "I ordered a lamp, when will it get here?|快递三天没动静了咋办|包裹还没到|Where do I see my order status?"
    ),
    Intent.PERSON: (
        "how do I reach a person by phone?|Can I speak to a person on Sundays?|怎么联系人工客服|人工客服几点上班"
    ),
    Intent.COMPLAINT: ("This is unacceptable, my plant arrived dead|太差了，花盆碎了"),
}


@pytest.mark.parametrize(
    ("message", "meaning"), [(text, meaning) for meaning, texts in MEANT.items() for text in texts.split("|")]
)
def test_an_intent_is_recognised(message: str, meaning: Intent) -> None:
    assert intent_of(message) is meaning


@pytest.mark.parametrize("message", QUESTIONS.split("|"))
def test_a_question_for_the_articles_is_no_intent(message: str) -> None:
    assert intent_of(message) is None


@pytest.mark.parametrize(
    ("message", "meaning"), [(text, meaning) for meaning, texts in LEFT_OPEN.items() for text in texts.split("|")]
)
def test_what_the_articles_are_asked_first_is_for_a_person_when_they_do_not_answer(
    message: str, meaning: Intent
) -> None:
    assert (intent_of(message), open_intent(message)) == (None, meaning)


@pytest.mark.parametrize("message", CONTACT.split("|"))
def test_a_question_for_a_way_to_a_person_is_for_the_articles_and_for_a_person(message: str) -> None:
    assert (asks_for_contact(message), intent_of(message), open_intent(message)) == (True, None, Intent.PERSON)


@pytest.mark.parametrize("message", NO_CONTACT.split("|"))
def test_what_only_has_its_words_is_none(message: str) -> None:
    assert not asks_for_contact(message)


@pytest.mark.parametrize("message", ["How much is delivery?", "运费多少", "What is a monstera?", "多肉怎么浇水"])
def test_a_question_about_the_company_stays_one_when_it_is_declined(message: str) -> None:
    assert open_intent(message) is None


@pytest.mark.parametrize("intent", Intent)
def test_every_intent_has_its_words_in_both_languages(intent: Intent) -> None:
    assert fixed_words(intent, "en").isascii()
    assert not fixed_words(intent, "zh").isascii()
    for words in (handing_over_words, person_here_words):
        assert words("en").isascii() and not words("zh").isascii()


@pytest.mark.parametrize("intent", [Intent.PERSON, Intent.COMPLAINT, Intent.ORDER])
def test_what_is_for_a_person_offers_one_and_never_says_that_nothing_was_found(intent: Intent) -> None:
    assert "person" in fixed_words(intent, "en") and "人工客服" in fixed_words(intent, "zh")
    assert not re.search("find|found|找到", fixed_words(intent, "en") + fixed_words(intent, "zh"))


@pytest.mark.parametrize(
    "message", ["yes", "Yes please!", "sure", "ok", "Yes, I would", "好的", "要", "好的，谢谢", "是的，麻煩你"]
)
def test_yes_accepts_an_offer(message: str) -> None:
    assert accepts_offer(message)


@pytest.mark.parametrize(
    "message", ["no", "no thanks", "不用了", "Yes, but what does it cost?", "好的，运费多少", "👍?", ""]
)
def test_anything_else_does_not(message: str) -> None:
    assert not accepts_offer(message)


@pytest.mark.parametrize(
    ("message", "asked"),
    [
        ("Thanks! And to Norway?", "And to Norway?"),
        ("Hi, good morning! When do you open?", "When do you open?"),
        ("谢谢！那寄到香港呢？", "那寄到香港呢？"),
        ("And to Norway?", "And to Norway?"),
        ("Thanks", "Thanks"),
        ("I moved. When is my parcel due?", "I moved. When is my parcel due?"),
    ],
)
def test_thanks_before_a_question_are_no_part_of_it(message: str, asked: str) -> None:
    assert without_small_talk(message) == asked


@pytest.mark.parametrize(
    ("written", "meant"),
    [("helo", "hello"), ("hellp", "hello"), ("ehllo", "hello"), ("heello", "hello"), ("hellooooo", "hello"),
     ("thnaks", "thanks"), ("huumann", "human"), ("cello", "cello"), ("hull", "hull"), ("hi", "hi"), ("hiii", "hi")],
)  # fmt: skip
def test_one_slip_is_put_right_and_another_word_is_not(written: str, meant: str) -> None:
    assert Speller(["hello", "thanks", "human", "hi"], other=["hull"]).corrected(written) == meant


@pytest.mark.parametrize("pair", [("order", "order"), ("order", "border"), ("order", "odrre"), ("a" * 99, "b" * 99)])
def test_more_than_one_slip_is_another_word(pair: tuple[str, str]) -> None:
    assert not is_one_slip(*pair)


def _pieces() -> list[str]:
    texts = [text for _, written in phrases.WHOLE for text in written]
    texts += [*phrases.PERSON_WISHES, *phrases.PERSON_WISHES_ZH, *phrases.YES, *phrases.ANY_ORDER, *phrases.ANY_PERSON]
    texts += [*contact_phrases.CONTACT, *contact_phrases.CONTACT_ZH]
    return sorted({piece for text in texts for piece in re.findall("[a-z]{2,}|[\u4e00-\u9fff]+", text)})


def _seconds(message: str) -> float:
    begun = time.process_time()
    intent_of(message)
    open_intent(message)
    accepts_offer(message)
    without_small_talk(message)
    return time.process_time() - begun


def test_no_message_makes_the_recognition_slow() -> None:
    """Each word of the phrases over and over, words in any order, and 20,000 characters: a fraction of a second of work."""
    pieces, chance = _pieces(), random.Random(29)
    messages = [separator.join([piece] * 600)[:119] + "x" for piece in pieces for separator in (" ", "")]
    messages += [" ".join(chance.choices(pieces, k=40))[:119] for _ in range(500)]
    messages += [
        separator.join(chance.choices(pieces, k=300))[:600] for separator in (" ", ", ", "") for _ in range(20)
    ]
    messages += [
        (piece * 20_000)[:20_000] for piece in ("hi ", "谢", "my order ", "?", ",hi", "\u200b", "i want to talk to ")
    ]
    _seconds("warm")
    slow = {message[:60]: took for message in messages if (took := _seconds(message)) > 0.5}
    assert slow == {}
