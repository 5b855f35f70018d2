"""Markdown comes out as text that can be quoted to a customer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.chunking.markdown import escape_markdown, plain_blocks
from tests.unit.knowledge.quotes import quotes, shown


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("A **bold** and *soft* `code_name` ~~old~~ ![gear](x.png)<br>", "A bold and soft code_name gear"),
        ("Delivery costs ~~€11.90~~ €7.50.", "Delivery costs €7.50."),
        ("Delivery costs <s>€11.90</s> <del>€9</del> €7.50.", "Delivery costs €7.50."),
        ("one\ntwo", "one two"),
        ("中文\n继续", "中文继续"),
        ("Stu\u200bdents get 15\u00a0% with CAM\u00adPUS15\ufeff.", "Students get 15 % with CAMPUS15."),
        ("Fish&nbsp;&amp;&nbsp;chips cost&shy; &euro;9.", "Fish & chips cost €9."),
        ("会员享受９折，输入ＡＢＣ１２。", "会员享受9折，输入ABC12。"),
        ("A note[^1] follows.", "A note follows."),
        ("Turn it {{< kbd >}}left{{< /kbd >}} {% now %}twice.", "Turn it left twice."),
        ("Open <Icon name={cog} /> <b>Settings</b> <!-- not yet -->now.", "Open Settings now."),
        ("See [[returns|our returns page]].", "See our returns page."),
        ("The =={{ x }}== rest {/* hidden */}stays.", "The … rest stays."),
        ("- [x] Pack it.", "• Pack it."),
    ],
)
def test_inline_markup_leaves_no_trace(source: str, text: str) -> None:
    assert shown(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Use the [form](https://shop.example/damage).", "Use the form (https://shop.example/damage)."),
        ("Write to [our team](mailto:help@shop.example?subject=x).", "Write to our team (help@shop.example)."),
        ("Ring [the desk](tel:+49-30-5550100).", "Ring the desk (+49-30-5550100)."),
        ("Ring [030 5550100](tel:+49305550100).", "Ring 030 5550100."),
        ("请填写[表单](https://shop.example/f)。", "请填写表单（https://shop.example/f）。"),
        ("Go to [shop.example](https://shop.example/).", "Go to shop.example."),
        ("Go to <https://shop.example/a>.", "Go to https://shop.example/a."),
        ("See [delivery](/help/delivery) and [returns](#returns).", "See delivery and returns."),
        ('<p>Use the <a href="https://shop.example/x">form</a>.</p>', "Use the form (https://shop.example/x)."),
        ("[![build](https://ci.example/b.svg)](https://ci.example)", ""),
    ],
)
def test_links_keep_their_address_where_it_says_more_than_the_words(source: str, text: str) -> None:
    assert shown(source) == text


@pytest.mark.parametrize(
    "source",
    [
        ":::warning Mind the seal\nNever heat it.\n:::",
        "::: tip\nNever heat it.\n:::",
        ":::danger[Hot]\nNever heat it.\n:::",
        '!!! danger "Before you start"\n    Never heat it.',
        '??? note "More"\n    Never heat it.',
        "> [!WARNING]\n> Never heat it.",
        "import Tabs from '@theme/Tabs';\nexport const meta = {a: 1}\n\nNever heat it.",
        '<Tabs>\n<TabItem value="a" label="Linux">\n\nNever heat it.\n\n</TabItem>\n</Tabs>',
        '{% hint style="info" %}\nNever heat it.\n{% endhint %}',
        '{{% notice tip "Hot" %}}\nNever heat it.\n{{% /notice %}}',
        "[TOC]\n\n## Heat {#heat}\n\nNever heat it.{.lead}\n{: .note}",
        "<div class='card'>\n<h3>Heat</h3>\n<p>Never heat it.</p>\n</div>",
        "**Heat**\n\nNever heat it.",
        "<!-- draft -->\n\nNever heat it.\n\n<style>p {}</style>",
        "[^1]: Never heat it.",
        "Heat\n====\n\nNever heat it.",
    ],
)
def test_what_steers_a_generator_never_reaches_a_quote(source: str) -> None:
    assert quotes(source) == ["Never heat it."]


def test_code_stays_whole_and_as_it_is() -> None:
    source = "```sh\ncurl **x** | jq {{ y }}\n\nimport a from 'b'\n:::\n```\n\n    indented <Tag>\n"
    assert quotes(source) == ["curl **x** | jq {{ y }}\n\nimport a from 'b'\n:::", "indented <Tag>"]


def test_hidden_html_disappears() -> None:
    assert quotes("<!-- note --><p>Shown &amp; read.</p><script>alert(1)</script>\n") == ["Shown & read."]


def test_headings_form_a_path_and_blocks_know_their_offset() -> None:
    source = "Intro.\n\n## A\n\nFirst.\n\n### B\n\nSecond.\n\n## C\n\nThird.\n"
    blocks = plain_blocks(source)
    assert [block.heading for block in blocks] == [(), ("A",), ("A", "B"), ("C",)]
    assert [source[block.start :].startswith(block.text) for block in blocks] == [True] * 4


def test_offsets_survive_what_was_taken_away_before() -> None:
    source = "import A from 'a'\n\n:::note Hot\nFirst.\n:::\n\n{% x %}\n\nA;b\n1;2\n3;4\n\nLast.\n"
    blocks = [block for block in plain_blocks(source) if block.text in {"First.", "Last."}]
    assert [source[block.start :].split("\n", maxsplit=1)[0] for block in blocks] == ["First.", "Last."]


@given(st.text(alphabet="ab*_`#|[]()<>&!-+1.\\~:;{%}=\n中 ", max_size=120))
def test_escaped_plain_text_keeps_its_words(text: str) -> None:
    letters = [character for character in text if character in "ab中1"]
    found = "".join(block.marker + block.text for block in plain_blocks(escape_markdown(text)))
    assert [character for character in found if character in "ab中1"] == letters
