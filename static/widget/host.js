/* Talks with the page around the frame (loader.js). The page names its origin in the frame's address; messages go there only and
 * are taken from there only. Who may embed the frame at all is the server's decision (frame-ancestors). */

const SOURCE = "glassdesk";
const IDENTITY_WITHIN = 3000;

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

  /** What the page says that its server signed for the customer; null when it says nothing in time. */
  identity(milliseconds = IDENTITY_WITHIN) {
    return new Promise((resolve) => {
      this.#on("identity", ({ identity }) => resolve(identity ?? null));
      setTimeout(resolve, milliseconds, null);
      this.#post({ type: "hello" });
    });
  }

  /** Starts listening; `onOpen` runs whenever the panel is opened, the others when the page asks for it. */
  listen({ accent = "", onOpen, onLanguage, onContext }) {
    this.#on("open", () => {
      this.#open = true;
      this.#setUnread(0);
      onOpen();
    });
    this.#on("closed", () => {
      this.#open = false;
    });
    this.#on("setLanguage", ({ language }) => onLanguage(language));
    this.#on("context", ({ context }) => onContext(context));
    this.#post({ type: "ready", accent });
  }

  /** Something that the page may want to know; no text of the conversation. */
  tell(name, detail = {}) {
    this.#post({ type: "event", name, detail });
  }

  close() {
    this.#post({ type: "close" });
  }

  speaks(language) {
    this.#post({ type: "language", language });
  }

  /** An answer or a person's message arrived; it counts while nobody sees the panel. */
  arrived({ id, author }) {
    this.tell("message", { id, author });
    if (!this.#open) this.#setUnread(this.#unread + 1);
  }

  #on(type, act) {
    window.addEventListener("message", ({ source, origin, data }) => {
      if (!this.#origin || source !== window.parent || origin !== this.#origin) return;
      if (data?.source === SOURCE && data.type === type) act(data);
    });
  }

  #setUnread(count) {
    this.#unread = count;
    this.#post({ type: "unread", count });
  }

  #post(message) {
    if (this.#origin) window.parent.postMessage({ source: SOURCE, ...message }, this.#origin);
  }
}
