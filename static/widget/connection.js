/* Keeps one socket alive: session, connect, keep-alive, and connecting again from the last cursor. */

import { afterClose, afterSession, waitFor } from "./backoff.js";
import { openSession } from "./session.js";
import { Ticket } from "./ticket.js";

const PING_EVERY = 25_000;
const PONG_WITHIN = 10_000;
const OPEN_WITHIN = 10_000;
const VERSION = "glassdesk.v1";

/** `hooks`: cursor() → last entry seen, onSession(session), onFrame(frame), onState("connecting" | "open" | "lost" | "unavailable"),
 * onRefused(error) when `identity`, what the company's server signed for this customer, does not count. */
export class Connection {
  #urls;
  #storage;
  #hooks;
  #language;
  #ticket;
  #identity;
  #resume;
  #known = null;
  #socket = null;
  #run = 0;
  #failures = 0;
  #timers = { again: 0, ping: 0, pong: 0 };
  #waiting = false;

  constructor({ urls, storage, ticket, identity = null, resume = null, language, hooks }) {
    this.#urls = urls;
    this.#ticket = new Ticket(ticket);
    [this.#identity, this.#resume] = [identity, resume];
    this.#storage = storage;
    this.#language = language;
    this.#hooks = hooks;
    window.addEventListener("online", () => this.#hurry());
    window.addEventListener("offline", () => this.#lost(this.#run, "again"));
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#hurry());
  }

  get token() {
    return this.#storage.get("token");
  }

  /** Connects from the last cursor on; `fresh` asks for the whole transcript, `language` changes the customer's language.
   * A session is asked for once and then only when the token is refused, the ticket gets old or the language changes. */
  async connect({ fresh = false, language = this.#language, state = null } = {}) {
    const run = this.#reset();
    const known = this.#known === language && this.token && this.#ticket.isFresh && !this.#resume;
    this.#language = language;
    if (state) this.#hooks.onState(state);
    if (known) {
      this.#open(run, this.token, fresh ? null : this.#hooks.cursor());
      return;
    }
    const who = { token: this.token, ticket: this.#ticket.text, identity: this.#known ? null : this.#identity, resume: this.#resume, language };
    const { status, session, error } = await openSession(this.#urls.session, who);
    if (run !== this.#run) return;
    if (status === 422 && this.#resume && error?.code === "link_expired") {
      this.#resume = null;
      this.#hooks.onLinkExpired(error);
      return this.connect();
    }
    if (status === 422) return this.#hooks.onRefused(error);
    const outcome = afterSession(status);
    if (outcome) {
      this.#lost(run, outcome);
      return;
    }
    this.#resume = null;
    this.#storage.set("token", session.token);
    this.#ticket.renew(session);
    this.#known = language;
    this.#hooks.onSession(session);
    this.#open(run, session.token, fresh ? null : this.#hooks.cursor());
  }

  /** Sends a frame if the socket is open; says whether it was. */
  send(frame) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  #open(run, token, after) {
    const query = new URLSearchParams({ language: this.#language });
    if (after) query.set("after", after);
    const socket = new WebSocket(`${this.#urls.socket}?${query}`, [VERSION, `visitor.${token}`, `origin.${this.#ticket.text}`]);
    this.#socket = socket;
    this.#timers.pong = setTimeout(() => this.#lost(run, "again"), OPEN_WITHIN);
    socket.addEventListener("open", () => run === this.#run && this.#keepAlive(run));
    socket.addEventListener("message", (event) => run === this.#run && this.#receive(event.data));
    socket.addEventListener("close", (event) => this.#lost(run, afterClose(event.code)));
  }

  #receive(data) {
    clearTimeout(this.#timers.pong);
    const frame = JSON.parse(data);
    if (frame.type === "ready" || frame.type === "resumed") this.#failures = 0;
    if (frame.type !== "pong") this.#hooks.onFrame(frame);
    if (frame.type === "ready" || frame.type === "resumed") this.#hooks.onState("open");
  }

  #keepAlive(run) {
    clearTimeout(this.#timers.pong);
    this.#timers.ping = setInterval(() => {
      this.send({ type: "ping" });
      clearTimeout(this.#timers.pong);
      this.#timers.pong = setTimeout(() => this.#lost(run, "again"), PONG_WITHIN);
    }, PING_EVERY);
  }

  #lost(run, outcome) {
    if (run !== this.#run) return;
    this.#reset();
    if (outcome === "session") {
      this.#storage.remove("token");
      this.#known = null;
    }
    this.#ticket.met(outcome);
    if (outcome === "unavailable") {
      this.#hooks.onState("unavailable");
      return;
    }
    this.#hooks.onState("lost");
    this.#waiting = true;
    const wait = waitFor(outcome, this.#failures);
    this.#failures += 1;
    this.#timers.again = setTimeout(() => this.connect(), wait);
  }

  /** The network or the page came back: no reason to wait any longer. */
  #hurry() {
    if (this.#waiting) this.connect();
  }

  /** Ends the current socket and its timers. Whatever they still report belongs to an earlier run and is ignored. */
  #reset() {
    this.#run += 1;
    this.#waiting = false;
    clearTimeout(this.#timers.again);
    clearTimeout(this.#timers.pong);
    clearInterval(this.#timers.ping);
    this.#socket?.close();
    this.#socket = null;
    return this.#run;
  }
}
