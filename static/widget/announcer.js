/* Tells screen readers what arrived: finished text only, never tokens, and never by moving the focus. */

import { byId } from "./dom.js";
import { isRating } from "./items.js";
import { systemWords } from "./message_view.js";
import { spoken } from "./rich_text.js";
import { say } from "./strings.js";

const CLEAR_AFTER = 20_000;

export class Announcer {
  #region = byId("announcer");

  /** Adds one sentence to the polite live region. */
  announce(text) {
    if (!text) return;
    const line = document.createElement("p");
    line.dir = "auto";
    line.textContent = text;
    this.#region.append(line);
    setTimeout(() => line.remove(), CLEAR_AFTER);
  }

  /** A message that has arrived complete; the customer's own ones are silent. */
  message(message, { assistant, company }) {
    const { author, name, body } = message;
    const said = message.translation ? { body: message.translation, format: "plain" } : message;
    if (author === "ai") this.announce(`${name || assistant}: ${spoken(said)}`);
    if (author === "person") this.announce(`${name || say("personRole", { company })}: ${spoken(message)}`);
    if (author === "system" && !isRating(body)) this.announce(systemWords(body, name));
  }
}
