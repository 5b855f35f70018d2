/* What the drawer shows: the passage behind a source, and how an answer came about. */

import { claimsConfidence, meter, sourceHead, tagOf } from "./answer_view.js";
import { button, h, icon } from "./dom.js";
import { personButton } from "./message_view.js";
import { dotted, updated } from "./moments.js";
import { quoted } from "./rich_text.js";
import { language, languageOf, say, seconds } from "./strings.js";

/** `passage` is null while it loads and false when it could not be had. */
export function sourcePanel(source, passage) {
  const about = passage || source;
  const facts = [
    about.updated_at ? updated(about.updated_at) : "",
    about.version ? say("passageVersion", { version: about.version }) : "",
  ];
  const foreign = languageOf(about.language) !== language();
  return {
    kind: "source",
    title: say("passageTitle", { number: source.number }),
    content: [
      h("h3.passage-title", { dir: "auto", lang: tagOf(about.language) }, about.title),
      about.heading ? h("p.passage-heading", { dir: "auto", lang: tagOf(about.language) }, about.heading) : null,
      h("p.facts", {}, h(`span.tag${foreign ? ".tag-foreign" : ""}`, {}, say(`inLanguage.${languageOf(about.language)}`)), h("span", {}, dotted(facts))),
      passage?.current === false ? h("p.warning", {}, icon("alert"), say("passageOutdated")) : null,
      ...passageText(source, passage),
      ...(source.translation ? [h("p.hint", {}, say("translation")), h("blockquote.passage", { dir: "auto", lang: tagOf(language()) }, source.translation)] : []),
    ].filter(Boolean),
  };
}

function passageText(source, passage) {
  const lang = tagOf((passage || source).language);
  if (passage === null) return [h("p.loading", { role: "status" }, say("passageLoading")), h("blockquote.passage", { dir: "auto", lang }, h("mark", {}, source.quote))];
  if (passage === false) return [h("p.hint", {}, say("passageFailed")), h("blockquote.passage", { dir: "auto", lang }, h("mark", {}, source.quote))];
  const parts = quoted(passage.text, source.quote);
  const found = parts.some((part) => part.quoted);
  const first = parts.find((part) => part.quoted);
  const marked = parts.map((part) => (part.quoted ? h("mark", { "data-scroll-here": part === first }, part.text) : part.text));
  return [
    h("p.hint", {}, say("passageQuote")),
    h("blockquote.passage", { dir: "auto", lang }, found ? marked : [h("mark", {}, source.quote), "\n\n", passage.text]),
  ];
}

/** The explanation of one answer. `question` is the customer's text; `open(source)` opens a passage. */
export function reportPanel(message, { question, company, withPerson, open, actions }) {
  const refused = message.outcome === "refused";
  const parts = [
    refused ? section("reportBand", h("p.verdict", {}, meter(message), say("refusedBand")), h("p", {}, say("refusalText"))) : null,
    refused && !withPerson ? h("div.row", {}, personButton(actions)) : null,
    question ? section("reportQuestion", h("p.asked", { dir: "auto" }, question)) : null,
    section("reportSearched", h("p", {}, message.cache ? say(`reportAgain.${message.cache}`) : say("reportSearchedText", { company }))),
    section("reportUsed", ...usedPassages(message, open)),
    claimsConfidence(message) ? section("reportBand", bandTable(message)) : null,
    message.while_indexing ? h("p.warning", {}, icon("alert"), say("reportIndexing")) : null,
    message.outcome === "stopped" ? h("p.warning", {}, icon("alert"), say("reportStopped")) : null,
    typeof message.seconds === "number" ? section("reportTime", h("p", {}, say("reportTimeText", { seconds: seconds(message.seconds) }))) : null,
    h("p.hint", {}, say("reportAuthor")),
  ];
  return { kind: "report", title: say(refused ? "refusalTitle" : "reportTitle"), content: parts.filter(Boolean) };
}

const section = (key, ...content) => h("section.part", {}, h("h3", {}, say(key)), ...content);

function usedPassages(message, open) {
  if (!message.sources.length || message.outcome === "refused") return [h("p", {}, say("reportUsedNone"))];
  return message.sources.map((source) =>
    button("used", null, () => open(source), ...sourceHead(source, h("span.used-quote", { dir: "auto", lang: tagOf(source.language) }, source.quote))),
  );
}

function bandTable(message) {
  const rows = ["high", "medium", "low"].map((band) =>
    h(
      `li.band${band === message.confidence_band ? ".band-current" : ""}`,
      { "aria-current": band === message.confidence_band ? "true" : null },
      meter(message, band),
      h("span", {}, h("strong", {}, say(`bands.${band}`)), h("span.band-meaning", {}, say(`bandMeaning.${band}`))),
    ),
  );
  return h("ul.bands", {}, rows);
}
