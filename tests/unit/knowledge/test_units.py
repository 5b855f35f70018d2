"""What is quoted is an answer: never a question, a heading, a lead-in or a piece of a whole."""

from __future__ import annotations

import pytest

from tests.unit.knowledge.quotes import compared, quotes

QUESTION = "Can I bring my own lamp?"
ANSWER = "Yes, up to 60 watts."

PAIRS = [
    f"Q: {QUESTION}\nA: {ANSWER}",
    f"Q: {QUESTION} A: {ANSWER}",
    f"Q1: {QUESTION}\n\nA1: {ANSWER}",
    f"**Q: {QUESTION}**\n\nA: {ANSWER}",
    f"**{QUESTION}**\n\n{ANSWER}",
    f"**{QUESTION}** {ANSWER}",
    f"**{QUESTION}**  \n{ANSWER}",
    f"__Question:__ {QUESTION}\n\n__Answer:__ {ANSWER}",
    f"### {QUESTION}\n\n{ANSWER}",
    f"{QUESTION}\n\n{ANSWER}",
    f"{QUESTION}\n{ANSWER}",
    f"{QUESTION}\n: {ANSWER}",
    f"1. {QUESTION}\n\n   {ANSWER}",
    f"1. {QUESTION} {ANSWER}",
    f"1. **{QUESTION}**\n   {ANSWER}",
    f"1) {QUESTION}\n\n{ANSWER}",
    f"- {QUESTION}\n  - {ANSWER}",
    f"- **{QUESTION}** {ANSWER}",
    f"<details><summary>{QUESTION}</summary>{ANSWER}</details>",
    f"<details>\n<summary><b>{QUESTION}</b></summary>\n\n{ANSWER}\n\n</details>",
    f"<details>\n  <summary>{QUESTION}</summary>\n  <p>{ANSWER}</p>\n</details>",
    f'<Accordion title="{QUESTION}">\n{ANSWER}\n</Accordion>',
    f'??? "{QUESTION}"\n    {ANSWER}',
    f"::: details {QUESTION}\n{ANSWER}\n:::",
    f'{{{{% expand "{QUESTION}" %}}}}\n{ANSWER}\n{{{{% /expand %}}}}',
    f"<h3>{QUESTION}</h3>\n<p>{ANSWER}</p>",
    f"<dl><dt>{QUESTION}</dt><dd>{ANSWER}</dd></dl>",
    f"| Question | Answer |\n| - | - |\n| {QUESTION} | {ANSWER} |",
    f"> **Q:** {QUESTION}\n> **A:** {ANSWER}",
    f"Frage: {QUESTION}\nAntwort: {ANSWER}",
]


@pytest.mark.parametrize("source", PAIRS)
def test_the_answer_of_a_pair_is_quoted_and_never_its_question(source: str) -> None:
    assert quotes(source) == [ANSWER]


@pytest.mark.parametrize("source", [pair for pair in PAIRS if not pair.startswith(("### ", "<h3>"))])
def test_a_pair_is_found_by_its_question_and_its_answer(source: str) -> None:
    assert compared(source) == [f"{QUESTION} {ANSWER}"]


@pytest.mark.parametrize(
    "source",
    [
        "问：可以自带灯具吗？\n答：可以，不超过60瓦。",
        "问：可以自带灯具吗？答：可以，不超过60瓦。",
        "Q1：可以自带灯具吗？\nA1：可以，不超过60瓦。",
        "**问题1：可以自带灯具吗？**\n\n答案：可以，不超过60瓦。",
        "1、可以自带灯具吗？\n可以，不超过60瓦。",
        "### 可以自带灯具吗？\n可以，不超过60瓦。",
        "**可以自带灯具吗？**\n\n可以，不超过60瓦。",
        "1. 可以自带灯具吗？\n   可以，不超过60瓦。",
        "<details><summary>可以自带灯具吗？</summary>可以，不超过60瓦。</details>",
        "| 问题 | 回答 |\n|-|-|\n| 可以自带灯具吗？ | 可以，不超过60瓦。 |",
    ],
)
def test_chinese_pairs_are_pairs(source: str) -> None:
    assert quotes(source) == ["可以，不超过60瓦。"]


def test_several_pairs_keep_their_answers_apart() -> None:
    source = (
        "**Is it loud?**\n\nNo.\n\n**Is it heavy?**\n\n- 4 kg without the stand\n- 6 kg with it\n\n"
        "**Any colours?**\n\nRed. Blue too."
    )
    assert quotes(source) == ["No.", "• 4 kg without the stand\n• 6 kg with it", "Red. Blue too."]
    assert compared(source)[0] == "Is it loud? No."


def test_a_long_answer_is_quoted_in_its_sentences_under_its_question() -> None:
    answer = " ".join(f"Sentence number {number} says something of its own about lamps." for number in range(40))
    found = quotes(f"**{QUESTION}**\n\n{answer}")
    assert len(found) == 40
    assert all(text.startswith(f"{QUESTION} Sentence") for text in compared(f"**{QUESTION}**\n\n{answer}"))


@pytest.mark.parametrize(
    "source", ["## Only a heading", "Any questions?", "We deliver to:", "**Opening hours**", "Q: Why?"]
)
def test_what_introduces_nothing_is_no_answer(source: str) -> None:
    assert quotes(source) == []


def test_a_question_in_running_text_is_not_quoted() -> None:
    assert quotes("We ship daily. Need it faster? Choose courier delivery.") == [
        "We ship daily.",
        "Choose courier delivery.",
    ]


STEPS = ["Sign in.", "Choose the order and click **Return**.", "Print the label.", "Hand it in."]


@pytest.mark.parametrize(
    ("source", "quote"),
    [
        (
            "To return it:\n\n" + "\n".join(f"{n}. {step}" for n, step in enumerate(STEPS, 1)),
            "To return it:\n1. Sign in.\n2. Choose the order and click Return.\n3. Print the label.\n4. Hand it in.",
        ),
        ("1. Sign in.\n2. Choose it.", "1. Sign in.\n2. Choose it."),
        ("1. Sign in.\n   - With your e-mail.\n2. Choose it.", "1. Sign in.\n  • With your e-mail.\n2. Choose it."),
        ("Step 1: Sign in.\n\nStep 2: Choose it.", "Step 1: Sign in.\nStep 2: Choose it."),
        ("退货步骤：\n1、登录。\n2、选择订单。", "退货步骤：\n1、登录。\n2、选择订单。"),
        ("第一步：登录。\n第二步：选择订单。", "第一步：登录。\n第二步：选择订单。"),
        ("① 登录。\n② 选择订单。", "① 登录。\n② 选择订单。"),
        ("<ol><li>Sign in.</li><li>Choose it.</li></ol>", "1. Sign in.\n2. Choose it."),
        ("3. Third.\n4. Fourth.", "3. Third.\n4. Fourth."),
        ("Run this:\n\n```\nmake\nmake install\n```", "Run this:\nmake\nmake install"),
    ],
)
def test_a_procedure_is_quoted_whole(source: str, quote: str) -> None:
    assert quotes(source) == [quote]


def test_a_long_procedure_says_which_steps_these_are() -> None:
    steps = "\n".join(
        f"{n}. Turn the brass screw number {n} slowly until it has come to rest again." for n in range(1, 31)
    )
    found = quotes(f"To open the housing:\n\n{steps}")
    assert len(found) > 1
    assert found[0].startswith("To open the housing (1–")
    assert " of 30):\n1. Turn" in found[0]
    assert all(text.startswith("To open the housing (") for text in found)


@pytest.mark.parametrize(
    ("source", "quote"),
    [
        ("We deliver to:\n\n- Austria\n- Spain", "We deliver to: Austria; Spain"),
        ("送达国家：\n\n- 法国\n- 德国", "送达国家：法国；德国"),
        ("These are excluded:\n\n- Pots above 20 kg.\n- Lamps.", "These are excluded:\n• Pots above 20 kg.\n• Lamps."),
        ("You need these papers.\n\n- A passport\n- A photo", "You need these papers.\n• A passport\n• A photo"),
        ("Our address is:\n\nHarbour Road 5, Northport.", "Our address is:\nHarbour Road 5, Northport."),
        ("Northport Ltd  \nHarbour Road 5  \n12345 Town", "Northport Ltd\nHarbour Road 5\n12345 Town"),
        ("Note: it is hot.", "Note: it is hot."),
    ],
)
def test_entries_stay_with_the_sentence_that_introduces_them(source: str, quote: str) -> None:
    assert quotes(source) == [quote]


def test_entries_that_are_sentences_stand_alone_without_an_introduction() -> None:
    assert quotes("- Open the page.\n- Press save.\n") == ["Open the page.", "Press save."]


def test_a_long_list_repeats_its_introduction() -> None:
    found = quotes("These are excluded:\n\n" + "\n".join(f"- Clay pots of the series {n}, glazed" for n in range(60)))
    assert len(found) > 1
    assert all(text.startswith("These are excluded:\n• Clay pots") for text in found)


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        (
            "| Plan | Price | Members |\n| --- | --- | --- |\n| **Seed** | Free | 1 |\n| Solo | €12 | |",
            ["Seed — Price: Free; Members: 1", "Solo — Price: €12"],
        ),
        ("| 套餐 | 月费 |\n| - | - |\n| 种子版 | 免费 |", ["种子版——月费：免费"]),
        (
            "| Day | Open |\n|-|-|\n| Monday | 9:00–12:30<br>14:00–18:30 |",
            ["Monday — Open: 9:00–12:30, 14:00–18:30"],
        ),
        (
            "<table><thead><tr><th>Plan</th><th>Price</th></tr></thead>\n<tr><td>Harbour</td>\n\n<td>€4</td></tr></table>",
            ["Harbour — Price: €4"],
        ),
        (
            "<table><tr><td>Plan</td><td>Price</td></tr><tr><td>Harbour</td><td>€4<br/>(net)</td></tr></table>",
            ["Harbour — Price: €4, (net)"],
        ),
        (
            "<table><tr><th>Zone</th><th>To</th><th>Price</th></tr><tr><td rowspan=2>EU</td><td>FR</td><td>5</td></tr>"
            "<tr><td>DE</td><td>6</td></tr></table>",
            ["EU — To: FR; Price: 5", "EU — To: DE; Price: 6"],
        ),
        ("| | |\n|-|-|\n| Weight | 3 kg |", ["Weight: 3 kg"]),
        (
            '<table><tr><th>Form</th><th>Where</th></tr><tr><td>Loss</td><td><a href="https://a.example/l">here</a></td></tr></table>',
            ["Loss — Where: here (https://a.example/l)"],
        ),
        (
            "SKU;Name;Price\nAB-1;Sock;0.90\nAB-2;Hat;1.90",
            ["AB-1 — Name: Sock; Price: 0.90", "AB-2 — Name: Hat; Price: 1.90"],
        ),
        ("SKU\tPrice\nAB-1\t0.90\nAB-2\t1.90", ["AB-1 — Price: 0.90", "AB-2 — Price: 1.90"]),
        ("| Plan | Price |\n|-|-|\n| Harbour | ~~€9~~ €4 |", ["Harbour — Price: €4"]),
    ],
)
def test_a_row_is_quoted_under_its_column_heads(source: str, rows: list[str]) -> None:
    assert quotes(source) == rows
