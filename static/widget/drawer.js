/* The panel that slides over the chat for a source or a report: opens on request, takes the focus, gives it back. A passage
 * opened from a report leads back to the report. */

import { byId } from "./dom.js";

export class Drawer {
  #panel = byId("drawer");
  #title = byId("drawer-title");
  #body = byId("drawer-body");
  #behind = byId("chat");
  #opener = null;
  #stack = [];

  constructor() {
    byId("drawer-back").addEventListener("click", () => this.back());
    this.#panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.stopPropagation();
      this.back();
    });
  }

  get isOpen() {
    return !this.#panel.hidden;
  }

  /** `build()` returns `{kind, title, content}`; it is called again when a passage has arrived or the language changes. */
  open(build) {
    if (!this.isOpen) this.#opener = document.activeElement;
    this.#stack.push(build);
    this.#panel.hidden = false;
    this.#behind.inert = true;
    this.#enter();
  }

  /** Builds the shown content anew; with an argument only if that is what is shown. */
  refresh(build = this.#stack.at(-1)) {
    if (!build || build !== this.#stack.at(-1)) return;
    const { kind, title, content } = build();
    this.#panel.dataset.kind = kind;
    this.#title.textContent = title;
    const hadFocus = this.#body.contains(document.activeElement);
    this.#body.replaceChildren(...content);
    if (hadFocus && !this.#body.contains(document.activeElement)) this.focus();
    this.#body.querySelector("[data-scroll-here]")?.scrollIntoView({ block: "center" });
  }

  back() {
    this.#stack.pop();
    if (this.#stack.length) this.#enter();
    else this.close();
  }

  focus() {
    this.#title.focus({ preventScroll: true });
  }

  close() {
    if (!this.isOpen) return;
    this.#stack = [];
    this.#panel.hidden = true;
    this.#behind.inert = false;
    if (this.#opener?.isConnected) this.#opener.focus({ preventScroll: true });
    this.#opener = null;
  }

  #enter() {
    this.#body.scrollTop = 0;
    this.refresh();
    this.focus();
  }
}
