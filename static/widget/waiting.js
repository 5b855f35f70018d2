/* The card of a customer who waits for a person: leave an e-mail address instead of waiting, or go back to the assistant. */

import { byId, show } from "./dom.js";
import { backAt, presence } from "./items.js";
import { say, until } from "./strings.js";

const ADDRESS = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** `actions` has `email(address)`, which says whether it could be sent, and `backToAi()`. */
export class WaitingCard {
  #isChanging = false;

  constructor(actions) {
    const field = byId("waiting-address");
    byId("waiting-email").addEventListener("submit", (event) => {
      event.preventDefault();
      const address = field.value.trim();
      const problem = ADDRESS.test(address) ? (actions.email(address) ? "" : "emailOffline") : "emailInvalid";
      this.#complain(problem);
      if (problem) field.focus();
      else this.#isChanging = false;
    });
    field.addEventListener("input", () => this.#complain(""));
    byId("waiting-change").addEventListener("click", () => {
      this.#isChanging = true;
      show(byId("waiting-kept"), false);
      show(byId("waiting-email"), true);
      field.focus();
    });
    byId("waiting-cancel").addEventListener("click", () => actions.backToAi());
  }

  #complain(key) {
    const problem = byId("waiting-problem");
    problem.textContent = key ? say(key) : "";
    show(problem, key !== "");
    byId("waiting-address").setAttribute("aria-invalid", String(key !== ""));
  }

  update(state, connected) {
    const isWaiting = presence(state).who === "waiting";
    const conversation = state.conversation;
    const isKnown = conversation?.status === "waiting";
    const isKept = Boolean(conversation?.has_email);
    show(byId("waiting"), isWaiting);
    const back = conversation ? backAt(conversation) : null;
    const waits = back ? "waitingAway" : conversation?.unclaimed ? "waitingLong" : "waitingText";
    byId("waiting-text").textContent = say(state.wantsPerson && !connected ? "askedOffline" : waits, { when: back && until(back) });
    byId("waiting-label").textContent = say(back ? "emailLabelAway" : "emailLabel");
    if (!isKept) this.#isChanging = false;
    show(byId("waiting-kept"), isKnown && isKept && !this.#isChanging);
    show(byId("waiting-email"), isKnown && (!isKept || this.#isChanging));
    show(byId("waiting-cancel"), isKnown && connected);
  }
}
