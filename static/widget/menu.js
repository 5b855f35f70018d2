/* The menu in the header, after the menu-button pattern: arrows move, Escape closes, a press elsewhere closes. */

import { byId } from "./dom.js";

export class Menu {
  #button = byId("menu-button");
  #menu = byId("menu");

  /** `choose(item)` gets the chosen element. */
  constructor(choose) {
    this.#button.addEventListener("click", () => (this.#menu.hidden ? this.#open() : this.close()));
    this.#button.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowDown") return;
      event.preventDefault();
      this.#open();
    });
    this.#menu.addEventListener("click", (event) => {
      const item = event.target.closest("[role^=menuitem]");
      if (!item) return;
      this.close();
      choose(item);
    });
    this.#menu.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("pointerdown", (event) => {
      if (!event.target.closest(".menu-holder")) this.close({ focus: false });
    });
    this.#menu.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !this.#menu.contains(event.relatedTarget) && event.relatedTarget !== this.#button) this.close({ focus: false });
    });
  }

  close({ focus = true } = {}) {
    if (this.#menu.hidden) return;
    this.#menu.hidden = true;
    this.#button.setAttribute("aria-expanded", "false");
    if (focus) this.#button.focus();
  }

  #open() {
    this.#menu.hidden = false;
    this.#button.setAttribute("aria-expanded", "true");
    this.#items()[0].focus();
  }

  #items() {
    return [...this.#menu.querySelectorAll("[role^=menuitem]:not([hidden])")];
  }

  #key(event) {
    if (event.key === "Escape" || event.key === "Tab") {
      if (event.key === "Escape") event.stopPropagation();
      this.close({ focus: event.key === "Escape" });
      return;
    }
    const items = this.#items();
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    items[to % items.length].focus();
  }
}
