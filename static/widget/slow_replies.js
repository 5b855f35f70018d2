/* Notices replies that show no text for a long time, so that the customer is offered a person instead of a blank wait. */

const PATIENCE = 12_000;

export class SlowReplies {
  #timers = new Map();
  #slow = new Set();
  #onChange;

  constructor(onChange) {
    this.#onChange = onChange;
  }

  has(id) {
    return this.#slow.has(id);
  }

  watch(replies) {
    const alive = new Set(replies.map((reply) => reply.id));
    for (const [id, timer] of this.#timers) {
      if (alive.has(id)) continue;
      clearTimeout(timer);
      this.#timers.delete(id);
      this.#slow.delete(id);
    }
    for (const id of alive) {
      if (!this.#timers.has(id)) this.#timers.set(id, setTimeout(() => this.#late(id), PATIENCE));
    }
  }

  #late(id) {
    this.#slow.add(id);
    this.#onChange();
  }
}
