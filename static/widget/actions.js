/* Everything that the customer can do. Each action changes the state at once and sends it to the server as soon as it can. */

import { createHistory } from "./history.js";
import { questionOf, questionOfFailure } from "./items.js";
import * as local from "./local_state.js";
import { createMailing } from "./mailing.js";
import { reportPanel, sourcePanel } from "./panels.js";
import { createRating } from "./rating.js";
import { fetchOwn } from "./session.js";
import { isWithPerson } from "./state.js";

const RETRY_AFTER = 3000;

/** `names()` returns the company's and the assistant's name; `refocus()` brings the focus back to the message field;
 * `announce(text)` speaks to screen readers. */
export function createActions({ store, connection, drawer, composer, urls, names, refocus, announce }) {
  const passages = new Map();
  let soon = 0;

  /** Sends whatever waits. The server knows repeated messages by their `client_id`. Who wants a person needs no place in
   * the AI's line, so that this is said first. */
  function flush() {
    if (store.state.wantsPerson) connection.send({ type: "person" });
    for (const entry of local.unsent(store.state)) post(entry);
  }

  /** A part of the server is away for a moment: what waits is sent again, the customer has nothing to do. */
  function flushSoon() {
    clearTimeout(soon);
    soon = setTimeout(() => store.state.synced && flush(), RETRY_AFTER);
  }

  function post(entry) {
    if (store.state.synced) connection.send({ type: "message", client_id: entry.client_id, body: entry.body });
  }

  function send(body) {
    const entry = { client_id: newId(), body, created_at: new Date().toISOString() };
    store.change(local.wrote, entry);
    post(entry);
  }

  function stop() {
    for (const { id } of store.state.replies) {
      if (connection.send({ type: "stop", reply: id })) store.change(local.stopped, id);
    }
    refocus();
  }

  function person() {
    if (isWithPerson(store.state.conversation)) return;
    store.change(local.askedForPerson);
    if (store.state.synced) connection.send({ type: "person" });
    for (const { client_id } of local.turnedAway(store.state)) retry(client_id);
    drawer.close();
    refocus();
  }

  /** Back from the wait for a person to the assistant. */
  function backToAi() {
    store.change(local.waitsNoLonger);
    connection.send({ type: "ai" });
    refocus();
  }

  /** Where to answer when nobody waits here; says whether it was sent. */
  function email(address) {
    return store.state.synced && connection.send({ type: "email", address });
  }

  function begin() {
    drawer.close();
    if (store.state.conversation) connection.send({ type: "new" });
    store.change(local.begunAnew);
    refocus();
  }

  function solved() {
    drawer.close();
    connection.send({ type: "solved" });
    refocus();
  }

  function retry(clientId) {
    const { outbox } = store.change(local.retried, clientId);
    post(outbox.find((entry) => entry.client_id === clientId));
    refocus();
  }

  function discard(entry) {
    store.change(local.discarded, entry.client_id);
    composer.write(entry.body);
    refocus();
  }

  function askAgain(failure) {
    const body = questionOfFailure(store.state, failure);
    store.change(local.forgotFailure, failure.reply);
    if (body) send(body);
    refocus();
  }

  function source(message, shown) {
    const build = () => sourcePanel(shown, passages.get(shown.chunk) ?? null);
    if (passages.get(shown.chunk) === false) passages.delete(shown.chunk);
    drawer.open(build);
    if (passages.has(shown.chunk)) return;
    fetchOwn(urls.passage(shown.chunk), connection.token)
      .catch(() => false)
      .then((passage) => {
        passages.set(shown.chunk, passage);
        drawer.refresh(build);
      });
  }

  /** `shown`: the messages among which the answer stands, where they are not those of the current conversation. */
  function report(message, shown = null) {
    drawer.open(() =>
      reportPanel(message, {
        question: questionOf(shown ? { messages: shown } : store.state, message)?.body,
        company: names().company,
        withPerson: isWithPerson(store.state.conversation),
        open: (shown) => source(message, shown),
        actions,
      }),
    );
  }

  const history = createHistory({ drawer, connection, urls, names, actions: () => actions });
  const mailing = createMailing({ store, drawer, connection, urls, announce });
  const rating = createRating({ store, connection, urls, announce, refocus });
  const actions = {
    flush, flushSoon, send, stop, person, backToAi, email, begin, solved, retry, discard, askAgain, source, report, history, mailing, ...rating,
  };
  return actions;
}

/** A random UUID, also on pages without https, where `crypto.randomUUID` does not exist. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
