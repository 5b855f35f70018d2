/* The one place that holds the state. What is not sent yet is kept in storage too, so that a reload loses nothing. */

import { initial } from "./state.js";

export class Store {
  #storage;
  #listeners = [];

  constructor(storage) {
    this.#storage = storage;
    this.state = { ...initial, outbox: storage.get("outbox", []), wantsPerson: storage.get("person", false) };
  }

  /** `listener(state, before)` runs after every change. */
  listen(listener) {
    this.#listeners.push(listener);
  }

  /** Applies a pure function of the state (and further arguments) and returns the new state. */
  change(step, ...values) {
    const before = this.state;
    const next = step(before, ...values);
    if (next === before) return before;
    this.state = next;
    if (next.outbox !== before.outbox) this.#storage.set("outbox", next.outbox);
    if (next.wantsPerson !== before.wantsPerson) this.#storage.set("person", next.wantsPerson);
    for (const listener of this.#listeners) listener(next, before);
    return next;
  }
}
