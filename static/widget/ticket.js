/* The ticket with which this page came: the server's word that the website around it may show the chat. It lasts for minutes, and each
 * session brings another one. */

// Renewed this long before it ends, and a page is not loaded anew sooner than after this time.
const MARGIN = 60_000;

export class Ticket {
  #until = 0;

  constructor(text) {
    this.text = text;
  }

  get isFresh() {
    return Date.now() < this.#until;
  }

  renew({ ticket, ticket_expires_in: seconds }) {
    this.text = ticket;
    this.#until = Date.now() + seconds * 1000 - MARGIN;
  }

  /** `outcome` of backoff.js: "ticket" asks for another session, "reload" for another page. */
  met(outcome) {
    if (outcome === "ticket") this.#until = 0;
    if (outcome === "reload" && performance.now() > MARGIN) window.location.reload();
  }
}
