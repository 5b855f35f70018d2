/* One entry of the transcript, except for the AI's answers (answer_view.js). Each function returns what stands inside the entry. */

import { button, h, icon } from "./dom.js";
import { timeOfDay } from "./moments.js";
import { render } from "./rich_text.js";
import { day, say } from "./strings.js";

/** Who wrote it and when, above the text. */
export function byline(name, role, at, mark) {
  return h(
    "p.byline",
    {},
    h(`span.face.face-${mark}`, { "aria-hidden": "true" }, mark === "person" ? name.trim().slice(0, 1).toUpperCase() : ""),
    h("span.byline-name", { dir: "auto" }, name),
    role ? h("span.byline-role", {}, role) : null,
    at ? h("span.byline-time", {}, timeOfDay(at)) : null,
  );
}

export function dayView(at) {
  return [h("p.day", {}, day(at))];
}

export function customerView(message) {
  return [h("div.bubble", {}, render(message)), h("p.meta", {}, timeOfDay(message.created_at))];
}

export function personView(message, { company }) {
  const name = message.name || say("personRole", { company });
  return [byline(name, message.name ? say("personRole", { company }) : "", message.created_at, "person"), h("div.bubble", {}, render(message))];
}

export function systemView(message) {
  return [h("p.system", { dir: "auto" }, systemWords(message.body, message.name))];
}

/** Events of the conversation come as codes, so that they read in the customer's language. */
export function systemWords(body, name = "") {
  const key = `events.${name ? "by." : ""}${body}`;
  const words = say(key, { name });
  return words === key ? (name ? systemWords(body) : body) : words;
}

/** A message that the server has not confirmed yet, or has refused. */
export function pendingView(entry, { connected, withPerson, actions }) {
  const bubble = h("div.bubble", {}, render(entry));
  if (!entry.refused) return [bubble, h("p.meta", {}, say(connected ? "sending" : "unsent"))];
  return [
    bubble,
    h("p.meta.meta-error", {}, icon("alert"), say("refusedMessage", { reason: entry.refused.message })),
    h(
      "div.row.row-end",
      {},
      entry.refused.code === "busy" && !withPerson ? personButton(actions) : null,
      button("pill", say("tryAgain"), () => actions.retry(entry.client_id), icon("again"), say("tryAgain")),
      button("pill", say("remove"), () => actions.discard(entry), icon("close"), say("remove")),
    ),
  ];
}

/** A reply on its way: its phase in words and what is written so far. */
export function replyView(reply, context) {
  const parts = [
    byline(context.assistant, say("aiRole"), null, "ai"),
    h("div.answer.answer-live"),
    h("div.progress", {}, h("span.pulse", { "aria-hidden": "true" }), h("span.phase", { "data-testid": "phase" })),
    h("div.aside", {}, h("p", {}, say("slow")), personButton(context.actions)),
  ];
  refreshReply(parts, reply, context);
  return parts;
}

/** Brings the elements of `replyView` up to date in place: built anew, the text could not be selected nor the pulse keep its beat. */
export function refreshReply([, answer, progress, aside], reply, { slow, withPerson, writing }) {
  answer.hidden = !reply.text;
  answer.replaceChildren(...render({ body: reply.text, format: reply.format }));
  const [pulse, phase] = progress.children;
  pulse.dataset.phase = phase.dataset.phase = reply.phase;
  const phaseSeen = reply.phase === "writing" && !reply.text ? "reading" : reply.phase;
  const words = reply.phase === "queued" && reply.wait ? say("queuedBehind", { seconds: reply.wait }) : say(phaseSeen);
  phase.textContent = reply.stopping ? say("stopping") : writing ? say("paused", { person: writing }) : words;
  aside.hidden = !slow || withPerson;
}

const QUIET = ["stopped", "superseded"];

/** A reply that failed: what happened, and the two ways on. One that was ended on purpose is a note. */
export function failureView(failure, { assistant, withPerson, actions }) {
  if (QUIET.includes(failure.code)) return [h("p.system", {}, failure.message)];
  return [
    byline(assistant, say("aiRole"), null, "ai"),
    h(
      "div.aside.aside-error",
      {},
      h("p.aside-title", {}, icon("alert"), say("failedTitle")),
      h("p", {}, failure.message),
      h(
        "div.row",
        {},
        withPerson ? null : personButton(actions),
        withPerson ? null : button("pill", say("askAgain"), () => actions.askAgain(failure), icon("again"), say("askAgain")),
      ),
    ),
  ];
}

export function personButton(actions) {
  return button("pill.pill-person", say("talkToPerson"), actions.person, icon("person"), say("talkToPerson"));
}
