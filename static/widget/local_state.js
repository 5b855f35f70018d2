/* The customer's own steps, as pure functions of the state of state.js. What they wrote stays in the outbox until the server
 * has returned it under the same `client_id`, so that a lost socket neither loses nor doubles it. */

import { initial } from "./state.js";

/** A message was written. When the conversation is closed, it opens a new one, on a clean page. */
export function wrote(state, entry) {
  const base = state.conversation?.status === "closed" ? begunAnew(state) : state;
  return { ...base, notice: null, outbox: [...base.outbox, entry] };
}

/** A refused message is sent once more under the same id. */
export function retried(state, clientId) {
  const again = (entry) => (entry.client_id === clientId ? { client_id: entry.client_id, body: entry.body, created_at: entry.created_at } : entry);
  return { ...state, outbox: state.outbox.map(again) };
}

/** The messages that were not admitted to the queue for an answer; the one for a person is not bounded. */
export function turnedAway(state) {
  return state.outbox.filter((entry) => entry.refused?.code === "busy");
}

/** A refused message is given up. */
export function discarded(state, clientId) {
  return { ...state, outbox: state.outbox.filter((entry) => entry.client_id !== clientId) };
}

/** A person was asked for; kept until the server says so, also over a lost connection. */
export function askedForPerson(state) {
  return { ...state, notice: null, wantsPerson: true };
}

/** The wish for a person was taken back. */
export function waitsNoLonger(state) {
  return { ...state, notice: null, wantsPerson: false };
}

/** The stop button was pressed. */
export function stopped(state, reply) {
  return { ...state, replies: state.replies.map((entry) => (entry.id === reply ? { ...entry, stopping: true } : entry)) };
}

/** A new conversation: a clean page. What the server still says about the old one is ignored. */
export function begunAnew(state) {
  return {
    ...initial,
    synced: state.synced,
    cursor: state.cursor,
    left: state.conversation?.id ?? state.left,
    leftReplies: [...state.leftReplies, ...state.replies.map((entry) => entry.id)],
  };
}

/** An answer was rated; after "down" its reasons are asked for. `feedback` is null when the server refused it. */
export function rated(state, id, feedback, asking = null) {
  const shown = (entry) => (entry.id === id ? { ...entry, feedback } : entry);
  return { ...state, asking, messages: state.messages.map(shown) };
}

/** How the conversation went was said, or that the customer would rather not. */
export function surveyed(state, id, survey) {
  return state.conversation?.id === id ? { ...state, conversation: { ...state.conversation, survey } } : state;
}

/** The failed reply's note goes away because its question is asked again. */
export function forgotFailure(state, reply) {
  return { ...state, failures: state.failures.filter((entry) => entry.reply !== reply) };
}

/** Nothing of an old connection counts until the next `ready` or `resumed`. */
export function disconnected(state) {
  return { ...state, synced: false };
}

/** The messages that have to go out now: never the refused ones. */
export function unsent(state) {
  return state.outbox.filter((entry) => !entry.refused);
}
