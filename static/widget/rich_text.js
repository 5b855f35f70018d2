/* Turns a message into blocks and marks: paragraphs, lists, code, bold, links and the numbers of sources. `parse` is pure;
 * `render` makes elements and text nodes only. */

import { h } from "./dom.js";

const FENCE = /```[\w-]*\n?([\s\S]*?)(?:```|$)/g;
const INLINE = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|(https?:\/\/[^\s<>"'`，。；：！？、（）《》【】「」“”‘’\u3000\u4e00-\u9fff]+)|\[(\d{1,2})\]/g;
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
  for (const match of line.matchAll(INLINE)) {
    plain(line.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[1]) found.push({ type: "code", text: match[1] });
    else if (match[2]) found.push({ type: "strong", text: match[2] });
    else if (match[4]) found.push({ type: "source", text: match[4] });
    else {
      const address = match[3].replace(/[.,;:!?)\]}]+$/, "");
      found.push({ type: "link", text: address });
      from -= match[3].length - address.length;
    }
  }
  plain(line.slice(from));
  return found;
}

/** A body as it is read out: without the signs of its form and the numbers of its sources. */
export function plain(body) {
  const words = (line) => line.filter((mark) => mark.type !== "source").map((mark) => mark.text).join("");
  return parse(body).map((block) => block.text ?? block.lines.map(words).join("\n")).join("\n");
}

/** Elements for a body. `source(number)` returns the control for a numbered source, or null where there is no such one. */
export function render(body, source = () => null) {
  const inline = (mark) => {
    if (mark.type === "code") return h("code", {}, mark.text);
    if (mark.type === "strong") return h("strong", {}, mark.text);
    if (mark.type === "link") return h("a", { href: mark.text, target: "_blank", rel: "noopener noreferrer nofollow" }, mark.text);
    if (mark.type === "source") return source(Number(mark.text)) ?? `[${mark.text}]`;
    return mark.text;
  };
  return parse(body).map((block) => {
    if (block.type === "code") return h("pre", {}, h("code", {}, block.text));
    if (block.type === "bullets") return h("ul", {}, block.lines.map((line) => h("li", {}, line.map(inline))));
    if (block.type === "numbers") return h("ol", { start: block.start }, block.lines.map((line) => h("li", {}, line.map(inline))));
    const lines = block.lines.map((line, index) => [index ? document.createElement("br") : null, ...line.map(inline)]);
    return h("p", {}, lines.flat());
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
