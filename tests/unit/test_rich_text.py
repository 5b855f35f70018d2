"""What a model wrote freely, as agents see it: the cases of tests/js/text.test.mjs."""

from __future__ import annotations

import pytest

from helpdesk.pages.rich_text import rich


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("a **b c** d", '<p dir="auto">a <strong>b c</strong> d</p>'),
        ("5 ** 2 and 2 ** 3", '<p dir="auto">5 ** 2 and 2 ** 3</p>'),
        ("One\ntwo\n\nthree", '<p dir="auto">One<br>two</p><p dir="auto">three</p>'),
        ("- a\n- `b`", '<ul dir="auto"><li>a</li><li><code>b</code></li></ul>'),
        ("2. c\n3. d", '<ol dir="auto" start="2"><li>c</li><li>d</li></ol>'),
        ("3.5 kg is the limit", '<p dir="auto">3.5 kg is the limit</p>'),
        ("```js\nlet x;\n```", '<pre dir="ltr"><code>let x;</code></pre>'),
        ("```\nnever closed", '<pre dir="ltr"><code>never closed</code></pre>'),
        ("", ""),
    ],
)
def test_the_form_of_an_answer_becomes_elements(body: str, shown: str) -> None:
    assert rich(body) == shown


def test_markup_in_an_answer_stays_text() -> None:
    shown = rich('**<img src=x onerror="alert(1)">** `<script>` [x](javascript:alert(1)) https://a.example/x.')
    assert "<img" not in shown
    assert "<script" not in shown
    assert shown.count("<a ") == 1
    assert '<a href="https://a.example/x" ' in shown
