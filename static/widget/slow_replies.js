/* Notices replies that show nothing new for a long time, so that the customer is offered a person instead of a blank wait. */

const PATIENCE = 12_000;

export class SlowReplies {
  #waits = new Map();
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
    for (const id of this.#waits.keys()) if (!alive.has(id)) this.#forget(id);
    for (const { id, text = "" } of replies) {
      if (this.#waits.get(id)?.text === text) continue;
      this.#forget(id);
      this.#waits.set(id, { text, timer: setTimeout(() => this.#late(id), PATIENCE) });
    }
  }

  #forget(id) {
    clearTimeout(this.#waits.get(id)?.timer);
    this.#waits.delete(id);
    this.#slow.delete(id);
  }

  #late(id) {
    this.#slow.add(id);
    this.#onChange();
  }
}
