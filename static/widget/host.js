/* Talks with the page around the frame (loader.js). The page names its origin in the frame's address; messages go there only and
 * are taken from there only. Who may embed the frame at all is the server's decision (frame-ancestors). */

const SOURCE = "glassdesk";

export class Host {
  #origin;
  #unread = 0;
  #open = true;

  constructor(origin) {
    this.#origin = window.parent === window ? null : origin;
    this.#open = !this.#origin;
  }

  get isEmbedded() {
    return this.#origin !== null;
  }

  /** Starts listening; `onOpen` runs whenever the panel is opened. */
  listen({ onOpen }) {
    if (!this.#origin) return;
    window.addEventListener("message", (event) => {
      if (event.source !== window.parent || event.origin !== this.#origin || event.data?.source !== SOURCE) return;
      if (event.data.type === "open") {
        this.#open = true;
        this.#setUnread(0);
        onOpen();
      }
      if (event.data.type === "closed") this.#open = false;
    });
    this.#post({ type: "ready" });
  }

  close() {
    this.#post({ type: "close" });
  }

  speaks(language) {
    this.#post({ type: "language", language });
  }

  /** An answer or a person's message arrived; it counts while nobody sees the panel. */
  arrived() {
    if (!this.#open) this.#setUnread(this.#unread + 1);
  }

  #setUnread(count) {
    this.#unread = count;
    this.#post({ type: "unread", count });
  }

  #post(message) {
    if (this.#origin) window.parent.postMessage({ source: SOURCE, ...message }, this.#origin);
  }
}
