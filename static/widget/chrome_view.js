/* Everything around the transcript: header, who answers, banner, welcome, footer. */

import { button, byId, h, icon, show } from "./dom.js";
import { presence } from "./items.js";
import { language, say, until } from "./strings.js";

/** Fills the page's fixed words: `data-say` is text, `data-say-label` an accessible name. */
export function translatePage(values) {
  document.documentElement.lang = language() === "zh" ? "zh-Hans" : "en";
  document.title = say("title", values);
  byId("company").textContent = values.company;
  byId("mark").textContent = [...values.company][0];
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say, values);
  for (const element of document.querySelectorAll("[data-say-label]")) element.setAttribute("aria-label", say(element.dataset.sayLabel, values));
  for (const element of document.querySelectorAll("[role=menuitemradio]")) {
    element.setAttribute("aria-checked", String(element.dataset.language === language()));
  }
}

export function fillIcons() {
  for (const element of document.querySelectorAll("[data-icon]")) element.prepend(icon(element.dataset.icon));
}

/** The words about who answers, for the strip and for screen readers. */
export function presenceWords(state, assistant) {
  const { key, values } = presence(state);
  const words = [say(key === "whoAi" && !assistant ? "whoAiUnnamed" : key, { ...values, assistant })];
  const writing = state.conversation?.writing;
  if (writing) return say("whoWrites", { person: writing });
  if (values.back) words.push(say("whoWaitingBack", { when: until(values.back) }));
  if (values.minutes) words.push(say("whoWaitingTime", { minutes: values.minutes }));
  return words.join(" · ");
}

export function showPresence(state, assistant) {
  const { who } = presence(state);
  byId("presence").dataset.who = who;
  byId("presence-text").textContent = presenceWords(state, assistant);
  show(byId("person"), who === "ai" || who === "closed");
  show(byId("footer"), who === "ai");
}

/** The stop button stands beside the send button as long as something is being written. */
export function showStop(state, refocus) {
  const stop = byId("stop");
  const hadFocus = stop === document.activeElement;
  show(stop, state.replies.some((reply) => !reply.stopping));
  if (stop.hidden && hadFocus) refocus();
}

/** `network`: connecting, open, lost, unavailable. `since`: failed attempts in a row. */
export function showBanner({ network, attempts, contact, notice, onDismiss }) {
  const banner = byId("banner");
  const parts = [];
  if (network === "unavailable") parts.push(h("span", {}, say("unavailable")), mail(contact));
  else if (network === "lost" && !navigator.onLine) parts.push(h("span", {}, say("offline")));
  else if (network === "lost") parts.push(h("span", {}, say(attempts > 4 ? "longLost" : "lost")), attempts > 4 ? mail(contact) : null);
  else if (notice) parts.push(h("span", {}, notice.message), button("pill", say("dismiss"), onDismiss, icon("close"), say("dismiss")));
  const words = parts.map((part) => part?.textContent ?? "").join("|");
  show(banner, parts.length > 0);
  banner.dataset.kind = network === "open" || network === "connecting" ? "notice" : network;
  if (banner.dataset.words === words) return;
  banner.dataset.words = words;
  banner.replaceChildren(...parts.filter(Boolean));
}

function mail(contact) {
  return contact ? h("a", { href: `mailto:${contact}` }, say("writeTo", { address: contact })) : null;
}

export function showWelcome(state, { suggestions, welcome, back, ready, onAsk }) {
  const empty = !state.messages.length && !state.outbox.length && !state.replies.length && !state.failures.length;
  show(byId("welcome"), empty && ready);
  if (byId("introduction").textContent !== welcome) byId("introduction").textContent = welcome;
  show(byId("loading"), empty && !ready);
  show(byId("away"), Boolean(back));
  if (back) byId("away").textContent = say("awayNow", { when: until(back) });
  const list = byId("suggestions");
  const words = suggestions.join("|");
  show(byId("suggestions-block"), suggestions.length > 0);
  if (list.dataset.words === words) return;
  list.dataset.words = words;
  list.replaceChildren(...suggestions.map((text) => h("li", {}, suggestion(text, onAsk))));
}

function suggestion(text, onAsk) {
  const chip = button("chip", text, () => onAsk(text));
  chip.dir = "auto";
  return chip;
}
