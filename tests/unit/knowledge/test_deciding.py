"""What is quoted is held against what the question names."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.quoting import codes, mentions, names
from knowledge.quoting.deciding import MAX_MENTIONS, Decision, decide
from knowledge.quoting.selection import select_quotes
from knowledge.search.retrieval import Candidate
from knowledge.search.terms import QueryTerm
from tests.unit.knowledge.results import make_candidate, make_result

CERTAIN = {"threshold": 0.0}
PUMPS = [
    ("The KL-20A lifts 40 litres a minute and weighs 3 kg.", 0.94),
    ("The KL-20B lifts 65 litres a minute and draws 750 W.", 0.95),
    ("The KL-35 lifts 120 litres a minute.", 0.96),
]


def ask(question: str, *candidates: Candidate, language: str = "en", terms: tuple[QueryTerm, ...] = ()) -> Decision:
    result = replace(make_result(*candidates, language=language), query=question, terms=terms)
    return decide(result, gate=CERTAIN)


def quoted(decision: Decision) -> list[str]:
    return [quote.text for quote in decision.selection.quotes]


def missing(decision: Decision) -> list[tuple[str, str]]:
    return [(each.kind, each.text) for each in decision.verdict.missing]


def test_a_code_that_no_article_knows_is_declined_and_its_neighbours_are_named() -> None:
    decision = ask("How many litres does the KL-30 lift?", make_candidate(PUMPS))
    assert not decision.selection.answerable
    assert missing(decision) == [("code", "KL-30")]
    assert decision.verdict.known_alternatives == ("KL-20A", "KL-20B", "KL-35")
    assert decision.verdict.unknown_names == ("KL-30",)


@pytest.mark.parametrize("written", ["KL-20B", "KL20B", "kl-20b", "KL 20B", "ＫＬ－２０Ｂ"])
def test_a_code_is_answered_by_the_sentences_about_it_alone(written: str) -> None:
    decision = ask(f"How many litres does the {written} lift?", make_candidate(PUMPS))
    assert decision.selection.answerable
    assert quoted(decision) == [PUMPS[1][0]]
    assert missing(decision) == []


def test_the_quotes_of_a_narrowed_choice_are_cut_from_the_whole_passage() -> None:
    candidate = make_candidate(PUMPS)
    (quote,) = ask("What does the KL-20B draw?", candidate).selection.quotes
    assert quote.candidate is candidate
    assert candidate.text[quote.start : quote.end] == PUMPS[1][0]


def test_a_sentence_without_a_code_speaks_of_the_code_before_it() -> None:
    described = make_candidate(
        [
            ("The KL-20A is small.", 0.8),
            ("Its weight is 3 kg.", 0.95),
            ("The KL-35 is big.", 0.8),
            ("It weighs 9 kg.", 0.96),
        ]
    )
    assert quoted(ask("What is the weight of the KL-20A?", described)) == ["Its weight is 3 kg."]
    assert quoted(ask("What is the weight of the KL-35?", described)) == ["It weighs 9 kg."]


def test_a_code_in_the_heading_covers_its_sentences() -> None:
    candidate = replace(make_candidate([("It weighs 9 kg.", 0.95)]), heading="Pumps › KL-35")
    assert missing(ask("What does the KL-35 weigh?", candidate)) == []


DESCRIBED = "The KL-20A at a glance"


def titled(title: str, *sentences: str) -> Candidate:
    return replace(make_candidate([(text, 0.95 - place / 100) for place, text in enumerate(sentences)]), title=title)


@pytest.mark.parametrize(
    ("title", "sentence"),
    [
        (DESCRIBED, "The KL-35 lifts 120 litres a minute."),
        (DESCRIBED, "If you need more, the larger KL-35 lifts 120 litres a minute."),
        (DESCRIBED, "For the ZX-9, order the large hose of 120 litres."),
        ("KL-20A 使用说明", "KL-35 每分钟抽水 120 升。"),
        ("Error E4", "E5 means that the tank holds fewer than 120 litres."),
        (DESCRIBED, "The KL-35 lifts more than 120 litres a minute."),
    ],
)
def test_a_sentence_about_another_code_is_not_about_the_titles(title: str, sentence: str) -> None:
    code = codes.codes_in(title)[0]
    decision = ask(f"How many litres does the {code} lift?", titled(title, sentence))
    assert missing(decision)[0] == ("code", code)
    assert not codes.names_code(decision.selection.quotes[0].text, code)


@pytest.mark.parametrize(
    ("title", "sentence"),
    [
        (DESCRIBED, "It lifts 40 litres a minute."),
        (DESCRIBED, "The hose lifts 40 litres a minute."),
        (DESCRIBED, "With filter F-12 it lifts 40 litres a minute."),
        (DESCRIBED, "Use the hose H2 to lift 40 litres a minute."),
        (DESCRIBED, "It lifts 40 litres a minute, 80 fewer than the KL-35."),
        (DESCRIBED, "Unlike the KL-35, this pump lifts 40 litres a minute."),
        (DESCRIBED, "The KL-20A lifts 40 and the KL-35 120 litres a minute."),
        ("KL-20A 使用说明", "比 KL-35 少，每分钟抽水 40 升。"),
    ],
)
def test_a_sentence_about_the_titles_code_needs_not_name_it(title: str, sentence: str) -> None:
    assert missing(ask("How many litres does the KL-20A lift?", titled(title, sentence))) == []


def test_what_points_back_to_another_code_is_not_about_the_titles() -> None:
    described = titled(DESCRIBED, "The KL-20A is small.", "The KL-35 is big.", "It weighs 9 kg.")
    assert quoted(ask("What is the weight of the KL-20A?", described)) == ["The KL-20A is small."]
    assert "It weighs 9 kg." in quoted(ask("What is the weight of the KL-35?", described))


def test_a_heading_about_another_code_takes_the_titles_place() -> None:
    candidate = replace(titled("Pumps KL-20A", "The weight is 9 kg."), heading="The larger KL-35")
    assert missing(ask("What does the KL-35 weigh?", candidate)) == []
    assert missing(ask("What does the KL-20A weigh?", candidate)) == [("code", "KL-20A")]


def test_a_question_for_watts_is_answered_by_the_sentence_that_tells_watts() -> None:
    sentences = [("The pump lifts 65 litres a minute.", 0.99), ("The pump draws 750 W.", 0.90)]
    decision = ask("How many watts does the pump draw?", make_candidate(sentences))
    assert (quoted(decision), decision.selection.answerable) == (["The pump draws 750 W."], True)


def test_litres_are_no_answer_to_watts() -> None:
    decision = ask("How many watts does the pump draw?", make_candidate([("The pump lifts 65 litres a minute.", 0.99)]))
    assert missing(decision) == [("kind", "power")]
    assert not decision.selection.answerable


def test_a_country_that_no_article_names_is_declined_and_the_score_stays() -> None:
    candidate = make_candidate([("Parcels to Iceland take nine days.", 0.95)])
    decision = ask("Do you ship to Norway?", candidate)
    plain = select_quotes(make_result(candidate), gate=CERTAIN)
    assert missing(decision) == [("name", "Norway")]
    assert (decision.selection.answerable, decision.selection.score) == (False, plain.score)


@pytest.mark.parametrize(
    ("question", "sentence", "language"),
    [
        ("Do you ship to Norway?", "We ship to Norway.", "en"),
        ("Do you ship to norway?", "We ship to Iceland and Norway.", "en"),
        ("可以寄到挪威吗？", "我们寄往挪威和冰岛。", "zh"),
        ("可以用PayPal吗", "支持PayPal和信用卡。", "zh"),
        ("Is the Lighthouse plan cheaper?", "The Lighthouse plan costs €13.", "en"),
        ("Is it OK in July?", "It is fine in summer.", "en"),
    ],
)
def test_a_name_that_is_quoted_is_not_missing(question: str, sentence: str, language: str) -> None:
    decision = ask(question, make_candidate([(sentence, 0.95)], language=language), language=language)
    assert (missing(decision), decision.selection.answerable) == ([], True)


def test_a_sentence_about_all_of_them_makes_an_unknown_name_uncertain_only() -> None:
    decision = ask("Do you ship to Norway?", make_candidate([("We ship to all other countries by post.", 0.95)]))
    assert (missing(decision), decision.selection.answerable) == ([("name", "Norway")], True)


def test_a_name_that_other_passages_hold_makes_the_answer_uncertain_only() -> None:
    nearest = make_candidate([("Parcels to Iceland take nine days.", 0.98)])
    other = make_candidate([("Gifts to Norway are wrapped.", 0.6)], rank=2)
    decision = ask("Do you ship to Norway?", nearest, other)
    assert (missing(decision), decision.selection.answerable) == ([("name", "Norway")], True)


def test_the_companys_name_is_never_missing() -> None:
    result = replace(make_result(make_candidate([("We open at nine.", 0.95)])), query="When does Fernhill open?")
    assert decide(result, gate=CERTAIN, own_names=("Fernhill Ltd", "")).verdict.missing == ()


def test_what_a_question_is_mostly_about_makes_the_answer_uncertain_when_the_passage_lacks_it() -> None:
    terms = (QueryTerm("return", 3, 0.4), QueryTerm("tent", 0, 1.0))
    harness = make_candidate([("Harnesses cannot be returned.", 0.95)], terms=[frozenset({"har", "return"})])
    decision = ask("Can I return a tent?", harness, terms=terms)
    assert (missing(decision), decision.selection.answerable) == ([("subject", "tent")], True)


def test_a_name_beside_the_question_is_not_asked_about() -> None:
    decision = ask("I live in Norway. Can I return a pot?", make_candidate([("Pots may be returned.", 0.95)]))
    assert missing(decision) == []


def test_nothing_found_is_nothing_missing() -> None:
    assert ask("Do you ship to Norway?").verdict.missing == ()


TEXTS = st.sampled_from(
    ["We ship to Norway.", "The KL-35 is big.", "Lamps need 12 V.", "所有国家", "Costs €3.", "A Lighthouse plan"]
)


@given(st.lists(TEXTS, min_size=1, max_size=4), TEXTS)
def test_more_evidence_never_makes_more_missing(texts: list[str], more: str) -> None:
    before, after = "\n".join(texts), "\n".join([*texts, more])
    for name in ("Norway", "Lighthouse", "PayPal"):
        assert names.is_named(name, after) >= names.is_named(name, before)
    assert codes.names_code(after, "KL-35") >= codes.names_code(before, "KL-35")
    question = "Which 12 V lamp holds 3 l?"
    assert set(mentions.quantities_missing(question, after)) <= set(mentions.quantities_missing(question, before))


def test_a_message_that_names_hundreds_is_judged_by_the_first() -> None:
    question = (
        "Do you ship to "
        + " and ".join(f"Place{'abcdefghij'[n % 10]}{'klmnopqrst'[n // 10]}" for n in range(100))
        + "?"
    )
    decision = ask(question, make_candidate([("Parcels to Iceland take nine days.", 0.95)]))
    assert len(missing(decision)) == MAX_MENTIONS
