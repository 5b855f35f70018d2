import { accentTokens, contrast, parseColour } from "/static/widget/accent.js";
import { cleaned, lengthOf, sends } from "/static/widget/composer.js";
import { backAt, items } from "/static/widget/items.js";
import { linked } from "/static/widget/links.js";
import { surveyed } from "/static/widget/local_state.js";
import { marks, parse, quoted, render, spoken } from "/static/widget/rich_text.js";
import { takeResume } from "/static/widget/session.js";
import { initial } from "/static/widget/state.js";
import en from "/static/widget/strings_en.js";
import { ago, fullDate, say, seconds, speak, until } from "/static/widget/strings.js";
import zh from "/static/widget/strings_zh.js";
import { equal, test } from "./harness.mjs";

const markdown = (body) => ({ body, format: "markdown" });
const shown = (message, source) => {
  const host = document.createElement("div");
  host.append(...render(message, source));
  return host;
};
const types = (line) => marks(line).map((mark) => `${mark.type}:${mark.text}`);

test("markup in a message stays text", () => {
  for (const format of ["plain", "markdown"]) {
    const host = shown({ body: '<img src=x onerror="window.harmed = 1"> [x](javascript:alert(1)) javascript:alert(1)', format });
    equal([host.querySelectorAll("img, a, script").length, host.textContent.includes("<img"), window.harmed], [0, true, undefined]);
  }
});

test("only web addresses become links, without the sentence's stop", () => {
  equal(types("See https://a.example/x?y=1. Then"), ["text:See ", "link:https://a.example/x?y=1", "text:. Then"]);
  equal(types("请看https://a.example/x，谢谢"), ["text:请看", "link:https://a.example/x", "text:，谢谢"]);
  equal(types("ftp://a.example data:text/html,x"), ["text:ftp://a.example data:text/html,x"]);
});

test("two stars make bold only what they touch on both sides", () => {
  equal(types("5 ** 2 and 2 ** 3"), ["text:5 ** 2 and 2 ** 3"]);
  equal(types("a **b c** d"), ["text:a ", "strong:b c", "text: d"]);
});

test("paragraphs, lists and code become blocks", () => {
  equal(parse("One\n\n- a\n- b\n\n2. c\n```js\nlet x;\n```").map((block) => block.type), ["paragraph", "bullets", "numbers", "code"]);
  equal(parse("3.5 kg is the limit")[0].type, "paragraph");
  equal(parse("```\nnever closed").map((block) => block.text), ["never closed"]);
});

test("a source's number becomes its control, an unknown one stays text", () => {
  const host = shown(markdown("Yes [1] and [7]"), (number) => (number === 1 ? document.createElement("button") : null));
  equal([host.querySelectorAll("button").length, host.textContent], [1, "Yes  and [7]"]);
});

test("read out, an answer has no signs", () => {
  equal(spoken(markdown("**Two** days [1]\n\n- `a`\n- b")), "Two days \na\nb");
  equal(spoken({ body: "- 5 °C at items[1]", format: "plain" }), "- 5 °C at items[1]");
});

test("addresses are found whole and without the sentence", async () => {
  const cases = await (await fetch("/tests/link_cases.json")).json();
  for (const [text, addresses] of cases) {
    const parts = linked(text);
    equal([text, parts.filter((part) => part.href).map((part) => part.text)], [text, addresses]);
    equal(parts.map((part) => part.text).join(""), text);
    equal(types(text).filter((mark) => mark.startsWith("link:")).length, text.startsWith("**") ? 0 : addresses.length);
  }
});

const PLAIN = [
  "Read items[1] and items[2] first.",
  "- 5 °C at night",
  "5 ** 2 is 25, and 2 ** 3 is 8",
  "* not a point",
  "1. not the first of a list",
  "3、不是列表",
  "`x` and ```y```",
  "```\nnot code\n```",
  "a\n  b\tc   d",
  "2024-01-01\n- 3.50 EUR\n+ 4.00 EUR",
  "[7] See the note [1]",
  "__init__ and snake_case_name and ~~kept~~",
  "| a | b |\n|---|---|\n| 1 | 2 |",
  "# 12 on the list",
  "> 5 kg",
  "请看 [1] 号柜台，**不是** 2 号",
];

test("plain text stays as it was written, sign by sign", () => {
  for (const body of PLAIN) {
    for (const message of [{ body, format: "plain" }, { body }]) {
      const host = shown(message, () => document.createElement("button"));
      equal([host.textContent, host.querySelectorAll("ul, ol, li, pre, code, strong, button").length], [body, 0]);
    }
  }
});

test("paragraphs of plain text stand apart, and its addresses are links", () => {
  const host = shown({ body: "One\ntwo\n \nSee https://wiki.example/Bowline_(knot). Or www.a.example/x", format: "plain" });
  equal([...host.children].map((each) => each.textContent), ["One\ntwo", "See https://wiki.example/Bowline_(knot). Or www.a.example/x"]);
  equal(
    [...host.querySelectorAll("a")].map((each) => [each.getAttribute("href"), each.rel]),
    [["https://wiki.example/Bowline_(knot)", "noopener noreferrer nofollow"], ["https://www.a.example/x", "noopener noreferrer nofollow"]],
  );
});

test("every block finds its own direction, code is always from the left", () => {
  const host = shown(markdown("مرحبا\n\n- a\n\n1. b\n\n```\nc\n```"));
  equal([...host.children].map((each) => `${each.localName}:${each.dir}`), ["p:auto", "ul:auto", "ol:auto", "pre:ltr"]);
  equal([...shown({ body: "שלום\n\nHello" }).children].map((each) => each.dir), ["auto", "auto"]);
});

test("a number in brackets behind an address is a source's, not the address's", () => {
  equal(types("See https://a.example/x[1][2]."), ["text:See ", "link:https://a.example/x", "source:1", "source:2", "text:."]);
  equal(types("https://a.example/?a[1]=2"), ["link:https://a.example/?a[1]=2"]);
});

test("a quote is found whatever the white space", () => {
  equal(quoted("First. Two\n days. Last.", "Two days."), [{ text: "First. ", quoted: false }, { text: "Two\n days.", quoted: true }, { text: " Last.", quoted: false }]);
});

test("a quote of sentences that stand apart is marked one by one", () => {
  const marked = (text, quote) => quoted(text, quote).filter((part) => part.quoted).map((part) => part.text);
  equal(marked("Alpha is one. Beta is two. Gamma is three.", "Alpha is one. Gamma is three."), ["Alpha is one.", "Gamma is three."]);
  equal(marked("周五不发货。周一发货。运费五欧。", "周五不发货。运费五欧。"), ["周五不发货。", "运费五欧。"]);
  equal(marked("Nothing here.", "Something (else)?"), []);
});

test("Enter sends, but not in a composition, not with Shift", () => {
  const key = (fields) => sends({ key: "Enter", shiftKey: false, isComposing: false, keyCode: 13, ...fields });
  equal([key({}), key({ isComposing: true }), key({ keyCode: 229 }), key({ shiftKey: true }), key({ key: "a" })], [true, false, false, false, false]);
});

test("control characters go, newlines and tabs stay, emoji count once", () => {
  equal([cleaned("  a\u0000\u0007b\r\nc\td\u009f  "), lengthOf("🌱🌱")], ["ab\nc\td", 2]);
});

test("both languages have the same keys and placeholders", () => {
  const shape = (value, path = "") =>
    typeof value === "string"
      ? [`${path} ${[...value.matchAll(/\{\w+\}/g)].map(String).sort().join(" ")}`]
      : Object.entries(value).flatMap(([key, inner]) => shape(inner, `${path}.${key}`));
  equal(shape(zh).sort(), shape(en).sort());
});

test("numbers choose their form, placeholders are filled", () => {
  speak("en");
  equal([say("sourceCount", { count: 1 }), say("sourceCount", { count: 2 }), say("bands.high"), seconds(3.21), seconds(31.6)], ["1 source", "2 sources", "Well supported", "3.2", "32"]);
  speak("zh-Hans");
  equal([say("sourceCount", { count: 1 }), say("no.such.key")], ["1 处来源", "no.such.key"]);
  speak("en");
});

test("within a day a moment says how long ago it was, later the date", () => {
  const now = new Date(2026, 10, 22, 14, 3);
  const before = (minutes) => ago(new Date(now - minutes * 60_000), now);
  speak("en");
  equal([before(0), before(-3), before(59), before(60), before(1439), before(1440)], ["just now", "just now", "59 min ago", "1 h ago", "23 h ago", "21 Nov 2026"]);
  equal(fullDate(now), "22 Nov 2026, 14:03");
  speak("zh");
  equal([before(5), before(1440), fullDate(now)], ["5 分钟前", "2026年11月21日", "2026年11月22日 14:03"]);
  speak("en");
});

test("every accent is readable in light and in dark", () => {
  for (const accent of ["#000000", "#ffffff", "#ffcc00", "#00ff00", "#2f6b3c", "#3A45B8", "#ff0000", "#888888"]) {
    for (const theme of ["light", "dark"]) {
      const tokens = accentTokens(accent, theme);
      const of = (one, other) => contrast(parseColour(tokens[one]), parseColour(tokens[other]));
      const pairs = [of("--brand", "--on-brand"), of("--brand", "--brand-soft"), of("--brand-ink", "--brand-soft")];
      if (Math.min(...pairs) < 4.5) throw new Error(`${accent} ${theme}: ${pairs}`);
    }
  }
});

test("what is no colour changes nothing", () => {
  equal([accentTokens("red;}", "light"), accentTokens(null, "dark"), parseColour("#12345")], [{}, {}, null]);
});

test("a moment to come is said as people say it", () => {
  const now = new Date(2026, 11, 7, 17, 30);
  const at = (day, hour) => until(new Date(2026, 11, day, hour), now);
  speak("en");
  equal([at(7, 19), at(8, 9), at(10, 9), at(21, 9)], ["today at 19:00", "tomorrow at 09:00", "Thursday at 09:00", "on 21 Dec at 09:00"]);
  speak("zh");
  equal([at(7, 19), at(8, 9), at(10, 9)], ["今天 19:00", "明天 09:00", "星期四 09:00"]);
  speak("en");
});

test("people are away only until they are back", () => {
  const now = new Date("2026-12-07T10:00:00Z");
  equal([backAt({ back_at: "2026-12-07T10:01:00Z" }, now), backAt({ back_at: "2026-12-07T09:59:00Z" }, now), backAt({ back_at: null }, now)], [
    "2026-12-07T10:01:00Z",
    null,
    null,
  ]);
});

test("a rating stands in its card and not among the messages", () => {
  const system = (body, position) => ({ id: body, position, author: "system", body, created_at: "2026-12-07T10:00:00Z" });
  const state = { ...initial, messages: [system("closed", 1), system("rated_4", 2)], conversation: { id: "c", status: "closed", survey: null } };
  equal(items(state).filter((item) => item.kind === "system").map((item) => item.value.body), ["closed"]);
  const survey = { score: 4, comment: "", is_open: true };
  equal([surveyed(state, "c", survey).conversation.survey, surveyed(state, "other", survey).conversation.survey], [survey, null]);
});

test("a mail's link is taken from behind the address only", () => {
  const at = (hash) => ({ hash, pathname: window.location.pathname, search: "" });
  equal([takeResume(at("#resume=ab~c.d-e_f")), takeResume(at("")), takeResume(at("#resume=<x>"))], ["ab~c.d-e_f", null, null]);
});
