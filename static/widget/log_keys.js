/* The transcript by keyboard: one tab stop. Up and down (Home, End) move by message, Enter goes to the controls inside a message,
 * Tab and the arrows go on among them, Escape comes back. A click or a tap works on everything at any time. */

const CONTROLS = "button, a[href], pre, textarea";

/** What tells one control of an entry from another, also after the entry was built anew. */
export const labelOf = (control) => control.getAttribute("aria-label") ?? control.textContent;

export class LogKeys {
  #log;
  #current = null;
  #inside = null;

  constructor(log) {
    this.#log = log;
    log.addEventListener("keydown", (event) => this.#key(event));
    log.addEventListener("focusin", (event) => this.#focused(event.target));
    log.addEventListener("focusout", (event) => !log.contains(event.relatedTarget) && this.#leave());
  }

  /** After entries came or went: keeps exactly one tab stop, on the last visited entry or the newest one. */
  refresh() {
    const entries = this.#entries();
    if (!entries.includes(this.#current) || !this.#log.contains(document.activeElement)) this.#current = entries.at(-1) ?? null;
    for (const entry of entries) entry.tabIndex = entry === this.#current && this.#inside !== entry ? 0 : -1;
    for (const control of this.#log.querySelectorAll(CONTROLS)) {
      control.tabIndex = this.#inside?.contains(control) ? 0 : -1;
    }
  }

  /** The focused control's entry was rebuilt: back to the same control, or to the entry where it is gone. */
  restore(entry, label) {
    const same = [...entry.querySelectorAll(CONTROLS)].find((control) => labelOf(control) === label);
    if (same) same.tabIndex = 0;
    (same ?? entry).focus({ preventScroll: true });
  }

  #entries() {
    return [...this.#log.children].filter((entry) => entry.dataset.kind !== "day");
  }

  #focused(target) {
    const entry = target.closest(".entry");
    if (!entry) return;
    this.#current = entry;
    this.#inside = target === entry ? null : entry;
    this.refresh();
  }

  #leave() {
    this.#inside = null;
    this.refresh();
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const entry = event.target.closest(".entry");
    if (!entry) return;
    const handled = event.target === entry ? this.#onEntry(event.key, entry) : this.#onControl(event, entry);
    if (!handled) return;
    event.preventDefault();
    event.stopPropagation();
  }

  #onEntry(key, entry) {
    const entries = this.#entries();
    const at = entries.indexOf(entry);
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: entries.length - 1 }[key];
    if (to !== undefined) {
      entries[Math.min(Math.max(to, 0), entries.length - 1)].focus();
      return true;
    }
    const first = key === "Enter" && entry.querySelector(CONTROLS);
    if (first) first.focus();
    return Boolean(first);
  }

  #onControl(event, entry) {
    if (event.key === "Escape") {
      entry.focus();
      return true;
    }
    // In a field, arrows move the caret.
    if (event.target.matches("textarea") && event.key !== "Tab") return false;
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, Tab: event.shiftKey ? -1 : 1 }[event.key];
    if (step === undefined) return false;
    const controls = [...entry.querySelectorAll(CONTROLS)];
    const next = controls[controls.indexOf(event.target) + step];
    if (next) next.focus();
    return Boolean(next) || event.key !== "Tab";
  }
}
