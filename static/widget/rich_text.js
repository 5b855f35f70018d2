/* Turns a message into elements. What people wrote and what was quoted from an article is plain text, in which only addresses
 * become links; what a model wrote freely has paragraphs, lists, code, bold and the numbers of sources as well. `parse` is pure;
 * the rest makes elements and text nodes only. */

import { h } from "./dom.js";
import { ADDRESS, addressIn, linked, target } from "./links.js";

const FENCE = /```[\w-]*\n?([\s\S]*?)(?:```|$)/g;
const INLINE = String.raw`\u0060([^\u0060\n]+)\u0060|\*\*(?!\s)([^*\n]+)(?<!\s)\*\*|(${ADDRESS})|\[(\d{1,2})\]`;
const CITED = /(?:\[\d{1,2}\])+[.,;:!?]*$/;
const BULLET = /^\s*[-*•]\s+/;
const NUMBER = /^\s*\d{1,2}(?:[.)]\s+|、\s*)/;

/** Blocks: `{type: "code", text}`, `{type: "paragraph" | "bullets" | "numbers", lines: [[mark, …], …]}`. */
export function parse(body) {
  const blocks = [];
  let from = 0;
  for (const match of body.matchAll(FENCE)) {
    blocks.push(...paragraphs(body.slice(from, match.index)));
    blocks.push({ type: "code", text: match[1].replace(/\n$/, "") });
    from = match.index + match[0].length;
  }
  return [...blocks, ...paragraphs(body.slice(from))];
}

function paragraphs(text) {
  const blocks = [];
  let open = null;
  for (const line of text.split("\n")) {
    const type = !line.trim() ? null : BULLET.test(line) ? "bullets" : NUMBER.test(line) ? "numbers" : "paragraph";
    if (!type) {
      open = null;
      continue;
    }
    if (open?.type !== type) blocks.push((open = { type, start: Number.parseInt(line, 10) || 1, lines: [] }));
    open.lines.push(marks(type === "paragraph" ? line : line.replace(type === "bullets" ? BULLET : NUMBER, "")));
  }
  return blocks;
}

/** Marks of one line: `{type: "text" | "code" | "strong" | "link" | "source", text}`. */
export function marks(line) {
  const found = [];
  let from = 0;
  const plain = (text) => text && found.push({ type: "text", text });
  const inline = new RegExp(INLINE, "gi");
  for (let match = inline.exec(line); match; match = inline.exec(line)) {
    const end = match.index + match[0].length;
    // A number in brackets at its end is a source's.
    const address = match[3] && addressIn(match[3].replace(CITED, ""), line[match.index - 1], line[end]);
    if (match[3] && !address) continue;
    plain(line.slice(from, match.index));
    from = end;
    if (match[1]) found.push({ type: "code", text: match[1] });
    else if (match[2]) found.push({ type: "strong", text: match[2] });
    else if (match[4]) found.push({ type: "source", text: match[4] });
    else {
      found.push({ type: "link", text: address });
      from = inline.lastIndex = match.index + address.length;
    }
  }
  plain(line.slice(from));
  return found;
}

/** A message as it is read out: without the signs of its form and the numbers of its sources. */
export function spoken({ body, format }) {
  if (format !== "markdown") return body;
  const words = (line) => line.filter((mark) => mark.type !== "source").map((mark) => mark.text).join("");
  return parse(body).map((block) => block.text ?? block.lines.map(words).join("\n")).join("\n");
}

/** Elements for a message. `source(number)` returns the control for a numbered source, or null where there is no such one. */
export const render = ({ body, format }, source = () => null) => (format === "markdown" ? renderMarkdown(body, source) : renderPlain(body));

const link = (address) => h("a", { href: target(address), target: "_blank", rel: "noopener noreferrer nofollow" }, address);

/** Every sign as it was written; each paragraph finds its own direction. */
function renderPlain(body) {
  const paragraphs = body.split(/\n(?:[^\S\n]*\n)+/).filter((text) => text.trim());
  return paragraphs.map((text) => h("p.plain", { dir: "auto" }, linked(text).map((part) => (part.href ? link(part.text) : part.text))));
}

function renderMarkdown(body, source) {
  const inline = (mark) => {
    if (mark.type === "code") return h("code", {}, mark.text);
    if (mark.type === "strong") return h("strong", {}, mark.text);
    if (mark.type === "link") return link(mark.text);
    if (mark.type === "source") return source(Number(mark.text)) ?? `[${mark.text}]`;
    return mark.text;
  };
  const items = (block) => block.lines.map((line) => h("li", {}, line.map(inline)));
  return parse(body).map((block) => {
    if (block.type === "code") return h("pre", { dir: "ltr" }, h("code", {}, block.text));
    if (block.type === "bullets") return h("ul", { dir: "auto" }, items(block));
    if (block.type === "numbers") return h("ol", { dir: "auto", start: block.start }, items(block));
    const lines = block.lines.map((line, index) => [index ? document.createElement("br") : null, ...line.map(inline)]);
    return h("p", { dir: "auto" }, lines.flat());
  });
}

const SENTENCE_END = /(?<=[.!?]["”’)]?)\s+|(?<=[。！？]["”’）]?)\s*/u;
const LEAST = 4;

/** Splits a passage at its quote: `[{text, quoted}]`. White space does not matter. A quote whose sentences stand apart in the passage
 * is marked sentence by sentence; an unknown one marks nothing. */
export function quoted(text, quote) {
  const whole = split(text, [quote]);
  return whole.some((part) => part.quoted) ? whole : split(text, quote.split(SENTENCE_END).filter((sentence) => sentence.length >= LEAST));
}

function split(text, quotes) {
  const escaped = (word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = quotes.map((quote) => quote.trim().split(/\s+/).map(escaped).join("\\s+")).filter(Boolean).join("|");
  if (!pattern) return [{ text, quoted: false }];
  return text
    .split(new RegExp(`(${pattern})`, "u"))
    .map((part, index) => ({ text: part, quoted: index % 2 === 1 }))
    .filter((part) => part.text);
}
