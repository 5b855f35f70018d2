/* The transcript on the page: one element per entry, kept while the entry lives and rebuilt only when it changes. */

import { answerView } from "./answer_view.js";
import { byId, h, show } from "./dom.js";
import { items } from "./items.js";
import { customerView, dayView, failureView, pendingView, personView, refreshReply, replyView, systemView } from "./message_view.js";
import { labelOf } from "./log_keys.js";
import { isWithPerson } from "./state.js";
import { language, say, time } from "./strings.js";

export const VIEWS = {
  day: dayView,
  customer: customerView,
  person: personView,
  system: systemView,
  ai: answerView,
  pending: pendingView,
  reply: replyView,
  failure: failureView,
};
const NEAR = 80;
const LAYOUT = 5;

export class TranscriptView {
  #scroller = byId("transcript");
  #log = byId("log");
  #newest = byId("newest");
  #entries = new Map();
  #keys;

  /** `keys` is the log's keyboard handling (log_keys.js). */
  constructor(keys) {
    this.#keys = keys;
    this.#scroller.addEventListener("scroll", () => this.#isAtEnd() && show(this.#newest, false), { passive: true });
    this.#newest.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.#follows && this.toEnd()).observe(this.#scroller);
  }

  #follows = true;

  /** Shows the state. `context`: assistant, company, connected, slow (set of reply ids), actions. */
  update(state, context) {
    // As it was before anything around the log changed its height: a card that appears is no reason to stop following.
    const follows = this.#follows;
    const list = items(state);
    const shared = { ...context, asking: state.asking, withPerson: isWithPerson(state.conversation) || state.wantsPerson, isOpen: state.conversation?.status !== "closed", writing: state.conversation?.writing ?? null };
    const grew = this.#reconcile(list, shared);
    show(this.#log, list.length > 0);
    this.#keys.refresh();
    this.#follows = follows || list.at(-1)?.kind === "pending";
    if (this.#follows) this.toEnd();
    else if (grew) show(this.#newest, true);
  }

  toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    show(this.#newest, false);
  }

  #isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    this.#follows = scrollHeight - scrollTop - clientHeight < NEAR;
    return this.#follows;
  }

  #reconcile(list, context) {
    const kept = new Set(list.map((item) => item.key));
    for (const [key, entry] of this.#entries) {
      if (kept.has(key)) continue;
      entry.element.remove();
      this.#entries.delete(key);
    }
    let grew = false;
    let before = this.#log.firstElementChild;
    for (const item of list) {
      grew = !this.#entries.has(item.key) || grew;
      const entry = this.#entries.get(item.key) ?? this.#create(item.key);
      this.#fill(entry, item, context);
      if (entry.element === before) before = before.nextElementSibling;
      else this.#log.insertBefore(entry.element, before);
    }
    return grew;
  }

  #create(key) {
    const entry = { element: h("article.entry", { tabindex: "-1" }), seen: [] };
    this.#entries.set(key, entry);
    return entry;
  }

  #fill(entry, item, context) {
    const { assistant, company, connected, withPerson, isOpen, writing } = context;
    const slow = item.kind === "reply" && context.slow.has(item.value.id);
    const asking = item.kind === "ai" && context.asking === item.value.id;
    const seen = [item.value, item.kind, language(), assistant, company, connected, withPerson, slow, asking, writing, isOpen];
    const changed = seen.map((value, index) => value !== entry.seen[index]);
    if (!changed.includes(true)) return;
    entry.seen = seen;
    const { element } = entry;
    if (item.kind === "reply" && !changed.slice(1, LAYOUT).includes(true)) {
      refreshReply(element.children, item.value, { ...context, slow });
      return;
    }
    const hadFocus = element.contains(document.activeElement) && element !== document.activeElement;
    const label = hadFocus ? labelOf(document.activeElement) : null;
    element.className = `entry entry-${item.kind}`;
    element.dataset.kind = item.kind;
    element.dataset.outcome = item.value.outcome ?? "";
    if (item.kind === "day") element.removeAttribute("aria-label");
    else element.setAttribute("aria-label", this.#label(item, context));
    element.replaceChildren(...VIEWS[item.kind](item.value, { ...context, slow, asking }));
    if (hadFocus) this.#keys.restore(element, label);
  }

  #label(item, { assistant, company }) {
    const { kind, value } = item;
    const who = {
      customer: say("you"),
      pending: say("you"),
      person: value.name || say("personRole", { company }),
      system: company,
    }[kind] ?? `${value.name || assistant}, ${say("aiRole")}`;
    return value.created_at ? say("says", { who, time: time(value.created_at) }) : who;
  }
}
