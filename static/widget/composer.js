/* Where the customer writes: grows with the text, counts near the limit, sends on Enter but never in the middle of an input
 * method's composition. */

import { byId, show } from "./dom.js";
import { say } from "./strings.js";

const WARN_FROM = 0.85;
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** What the server accepts: no control characters but newline and tab, no space around. */
export function cleaned(text) {
  return text.replace(/\r\n?/g, "\n").replace(CONTROL, "").trim();
}

/** Characters as the server counts them: an emoji is one code point, not two halves. */
export const lengthOf = (text) => [...text].length;

/** Whether this key press sends: Enter alone, outside a composition (229 is what browsers report inside one). */
export function sends(event) {
  return event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
}

export class Composer {
  #form = byId("composer");
  #input = byId("input");
  #send = byId("send");
  #counter = byId("counter");
  #limit = 4000;
  #onChange;

  constructor({ draft, onSend, onChange }) {
    this.#onChange = onChange;
    // On a slow line somebody may have typed before this module arrived.
    this.#input.value = this.#input.value || draft;
    this.#input.addEventListener("input", () => this.#changed());
    this.#input.addEventListener("keydown", (event) => {
      if (!sends(event)) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const body = cleaned(this.#input.value);
      if (!body || lengthOf(body) > this.#limit) return;
      this.write("");
      onSend(body);
    });
    this.#show();
  }

  set limit(characters) {
    this.#limit = characters;
    this.#show();
  }

  focus() {
    this.#input.focus({ preventScroll: true });
  }

  /** Replaces the text, for instance to change a message that was refused. */
  write(text) {
    this.#input.value = text;
    this.#changed();
  }

  /** In the current language and for whoever answers. */
  translate(withPerson) {
    this.#input.placeholder = say(withPerson ? "placeholderPerson" : "placeholder");
    this.#show();
  }

  #changed() {
    this.#onChange(this.#input.value);
    this.#show();
  }

  #show() {
    const length = lengthOf(cleaned(this.#input.value));
    const left = this.#limit - length;
    this.#send.disabled = length === 0 || left < 0;
    this.#input.setAttribute("aria-invalid", String(left < 0));
    show(this.#counter, length > this.#limit * WARN_FROM);
    this.#counter.dataset.over = String(left < 0);
    this.#counter.textContent = say(left < 0 ? "charactersOver" : "charactersLeft", { count: Math.abs(left) });
    this.#input.style.height = "auto";
    this.#input.style.height = `${this.#input.scrollHeight}px`;
  }
}
