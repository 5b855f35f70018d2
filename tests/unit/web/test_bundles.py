"""helpdesk.web.bundles: modules and style sheets as one file, and what is refused."""

from __future__ import annotations

import pytest

from helpdesk.web.bundles import Unbundled, bundle_modules, bundle_styles

MODULES = {
    "a/main.js": 'import { two as deux } from "./b.js";\nimport standard from "./c.js";\nimport * as all from "./b.js";\n'
    "document.title = [deux(), standard.name, all.one].join();",
    "a/b.js": 'import words from "./c.js";\nexport const one = 1;\nexport function two() {\n  return words.name;\n}',
    "a/c.js": "const hidden = 1;\nexport default { name: hidden };",
}


def test_each_module_stands_once_and_before_those_that_import_it() -> None:
    bundle = bundle_modules("a/main.js", MODULES.__getitem__)
    assert [line for line in bundle.splitlines() if "$" in line or line.startswith("{")] == [
        "const $a_c = (() => {",
        "const $a_b = (() => {",
        "const { default: words } = $a_c;",
        "{",
        "const { two: deux } = $a_b;",
        "const { default: standard } = $a_c;",
        "const all = $a_b;",
    ]
    assert "return { one, two };" in bundle
    assert "return { default: standard };" in bundle
    assert "import" not in bundle
    assert "export" not in bundle


@pytest.mark.parametrize(
    "source",
    [
        "export let counted = 0;",
        "const one = 1;\nexport { one };",
        'export * from "./c.js";',
        'import "./c.js";',
        'const later = import("./c.js");',
        "const here = import.meta.url;",
        'import { one } from "./b.js";\nexport const two = one;',
    ],
    ids=["let", "list", "star", "effect", "later", "meta", "itself"],
)
def test_what_would_not_mean_the_same_is_refused(source: str) -> None:
    files = MODULES | {"a/b.js": source}
    with pytest.raises(Unbundled):
        bundle_modules("a/main.js", files.__getitem__)


def test_a_circle_is_named() -> None:
    files = MODULES | {"a/c.js": 'import { two } from "./b.js";\nexport default two;'}
    with pytest.raises(Unbundled, match=r"a/b\.js imports itself by way of a/b\.js and a/c\.js"):
        bundle_modules("a/main.js", files.__getitem__)


def test_addresses_in_style_sheets_lead_to_the_same_files_from_another_folder() -> None:
    sheets = {
        "tokens.css": '@font-face { src: url("fonts/a.woff2") }',
        "widget/look.css": '.a { background: url("../b.svg") } .c { background: url("data:,x") }',
    }
    assert bundle_styles(["tokens.css", "widget/look.css"], "widget", sheets.__getitem__) == (
        '@font-face { src: url("../fonts/a.woff2") }\n.a { background: url("../b.svg") } .c { background: url("data:,x") }'
    )
