/* A finished answer of the AI: text, sources, and the line that opens its report. */

import { button, h, icon } from "./dom.js";
import { feedbackView } from "./feedback_view.js";
import { byline, personButton } from "./message_view.js";
import { dotted, updated } from "./moments.js";
import { render } from "./rich_text.js";
import { language, languageOf, say, seconds } from "./strings.js";

const MOST_SOURCES = 3;

export function answerView(message, { assistant, asking, withPerson, isOpen, isEarlier = false, actions }) {
  const refused = message.outcome === "refused";
  const fixed = isFixed(message);
  const foreign = message.note && languageOf(message.sources[0].language);
  const inText = (number) => {
    const source = message.sources.find((entry) => entry.number === number);
    return source ? button("cite", sourceLabel(source), () => actions.source(message, source), String(number)) : null;
  };
  return [
    byline(message.name || assistant, say("aiRole"), message.created_at, "ai"),
    ...translation(message, foreign),
    foreign && !message.translation ? h("p.meta", { "data-testid": "language-note" }, say(`quotedIn.${foreign}`)) : null,
    h("div.answer", { lang: tagOf(foreign || message.language) }, render(message, inText)),
    message.outcome === "stopped" ? h("p.meta", {}, say("stoppedNote")) : null,
    message.sources.length && !refused ? sourceList(message, actions) : null,
    fixed ? null : reportLine(message, actions),
    offersPerson(message) && !withPerson && !asking ? h("div.row", {}, personButton(actions)) : null,
    ...(fixed || isEarlier ? [] : feedbackView(message, { asking, withPerson, isOpen, actions })),
  ].filter(Boolean);
}

/** The quote in the customer's language, above the article's own words. */
function translation(message, foreign) {
  if (!foreign || !message.translation) return [];
  return [
    h("p.meta", { "data-testid": "translation-note" }, say(`translatedFrom.${foreign}`)),
    h("div.answer", { lang: tagOf(message.language), "data-testid": "translation" }, render({ body: message.translation, format: "plain" })),
    h("p.meta", {}, say("ownWords")),
  ];
}

/** What the articles do not answer, and what is for a person anyway, offers one. */
const offersPerson = (message) => message.outcome === "refused" || message.kind === "hand_off";

/** A refusal, a question back and what is for a person have nothing to be sure of. */
const SURE_OF_NOTHING = ["refusal", "clarifying", "hand_off"];
export const claimsConfidence = (message) => message.outcome !== "refused" && !SURE_OF_NOTHING.includes(message.kind) && Boolean(message.confidence_band);

/** Standard reply answers a greeting: it rests on nothing and claims nothing, so that there is nothing to explain or to rate. */
const isFixed = (message) => message.outcome === "answered" && !message.confidence_band && !message.sources.length;

function sourceList(message, actions) {
  const rows = message.sources.slice(0, MOST_SOURCES).map((source) => {
    const open = button(
      "source",
      null,
      () => actions.source(message, source),
      ...sourceHead(source),
      icon("next"),
    );
    open.dataset.testid = "source";
    return h("li", {}, open);
  });
  return h("ul.sources", { "aria-label": say("sources") }, rows);
}

/** Number, title and date of a source; `more` stands below them. */
export function sourceHead(source, ...more) {
  return [
    h("span.source-number", {}, h("span.visually-hidden", {}, say("source")), String(source.number)),
    h(
      "span.source-text",
      {},
      h("span.source-title", { dir: "auto", lang: tagOf(source.language) }, source.title),
      h("span.source-about", {}, aboutSource(source)),
      ...more,
    ),
  ];
}

/** Heading, date, and the language where it is not the customer's. */
export function aboutSource(source) {
  const parts = [source.heading ? h("bdi", {}, source.heading) : "", source.updated_at ? updated(source.updated_at) : ""];
  if (source.language && languageOf(source.language) !== language()) parts.push(say(`inLanguage.${languageOf(source.language)}`));
  return dotted(parts);
}

const sourceLabel = (source) => say("sourceLabel", { number: source.number, title: source.title });

/** HTML's name for a language of ours; Chinese here is always simplified. */
export const tagOf = (code) => (languageOf(code) === "zh" ? "zh-Hans" : "en");

/** "2 sources · Well supported · 3.2 s" */
export function reportWords(message) {
  const parts = [];
  if (message.outcome === "refused") parts.push(say("refusedBand"));
  else {
    parts.push(say("sourceCount", { count: message.sources.length }));
    if (message.kind === "clarifying") parts.push(say("clarifyingBand"));
    else if (claimsConfidence(message)) parts.push(say(`bands.${message.confidence_band}`));
  }
  if (message.while_indexing) parts.push(say("indexing"));
  if (message.cache) parts.push(say("again"));
  if (typeof message.seconds === "number") parts.push(say("seconds", { seconds: seconds(message.seconds) }));
  return parts.join(" · ");
}

function reportLine(message, actions) {
  const words = reportWords(message);
  const line = button("report-line", say("reportLabel", { line: words }), () => actions.report(message), meter(message), h("span", {}, words), icon("next"));
  line.dataset.testid = "report-line";
  return line;
}

/** Three bars: how many are full says the band without its colour. */
export function meter(message, band = message.confidence_band) {
  const bars = [1, 2, 3].map(() => h("span.meter-bar"));
  return h("span.meter", { "aria-hidden": "true", "data-band": claimsConfidence(message) ? band : "none" }, bars);
}
