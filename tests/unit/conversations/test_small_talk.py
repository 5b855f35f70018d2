"""Messages that are nothing but a greeting, thanks, a farewell or the wish for a person, and those that only begin so."""

from __future__ import annotations

import pytest

from conversations.small_talk import MAX_CHARACTERS, SmallTalk, fixed_words, small_talk

MEANT = {
    SmallTalk.GREETING: "Hi|Hello!|hey there|Good morning|你好|您好！|在吗？|早上好|Hi 👋|?|哈喽|How are you?",
    SmallTalk.THANKS: "Thanks|Thank you very much!|ok thanks|thx|That helped, thank you|谢谢|好的，谢谢|謝謝你|明白了|Great"
    "|Thanks for helping me out today|Thanks, you've been very helpful|thank you for your patience",
    SmallTalk.PARTING: "bye|Goodbye!|see you later|Have a nice day|再见|拜拜|再見|晚安|Bye bye|Good night"
    "|It was a pleasure talking to you, goodbye",
    SmallTalk.PERSON: "human|agent|Talk to a person|speak to someone|I want to talk to a real human please|live chat"
    "|Can I speak to someone?|Could you connect me to an agent?|customer service|人工|转人工|轉人工|人工客服|我要找人工"
    "|请帮我转人工客服，谢谢|我想和真人聊聊|客服|I'd rather talk to a person|can I talk to somebody from your team?|我要找人"
    "|我想投诉",
}
QUESTIONS = (
    "Hi, when do you open?|agent fees|Can a person under 18 order?|人工费多少钱|How many people work here?|退货|12"
    "|你好，请问运费多少|客服几点上班|客服电话|support hours|Who can I contact?|hello kitty|人工草坪|谢谢卡多少钱|test kit"
    "|Thanks for nothing, where is my parcel?|Do you sell human hair?|Thanks I want a refund|Thank you I lost my invoice"
    "|thanks for sending me a dead plant|please delete my account bye|Thanks I never got the refund|my plant arrived dead bye"
    "|i want to cancel my subscription goodbye|thank you for cancelling my plan without telling me|thanks for the refund form"
    "|it was broken when it came, bye|thanks, you've been charging me twice"
)


@pytest.mark.parametrize(
    ("message", "meaning"), [(text, meaning) for meaning, texts in MEANT.items() for text in texts.split("|")]
)
def test_a_message_that_is_nothing_else_is_small_talk(message: str, meaning: SmallTalk) -> None:
    assert small_talk(message) is meaning


@pytest.mark.parametrize("message", QUESTIONS.split("|"))
def test_a_question_is_no_small_talk(message: str) -> None:
    assert small_talk(message) is None


@pytest.mark.parametrize("talk", SmallTalk)
def test_every_kind_has_its_words_in_both_languages(talk: SmallTalk) -> None:
    assert fixed_words(talk, "en").isascii()
    assert not fixed_words(talk, "zh").isascii()


PIECES = [
    "嗯",
    "谢",
    "谢谢",
    "好",
    "hi",
    "hihiya",
    "thanks ",
    "ok ",
    "bye ",
    "在",
    "人工",
    "real ",
    "i want to ",
    "human ",
]


@pytest.mark.parametrize("piece", PIECES)
def test_no_message_makes_the_recognition_slow(piece: str) -> None:
    """The time grows with the length, not with the ways to read it: the test would not end otherwise."""
    message = (piece * 80)[: MAX_CHARACTERS - 1] + "x"
    assert small_talk(message) in {None, *SmallTalk}
