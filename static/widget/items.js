/* What stands in the transcript, in which order. Pure. A key stays with its entry while it turns from unsent into a message,
 * or from a reply being written into an answer, so that neither the place nor the focus is lost. */

export const isRating = (code) => /^rated_\d$/.test(code);

/** `[{key, kind, value}]`; kinds: day, customer, ai, person, system, pending, reply, failure. */
export function items(state, now = new Date()) {
  const failures = state.failures;
  const placed = new Set();
  const list = [];
  let day = now.toDateString();
  for (const message of state.messages.filter(isShown)) {
    const its = new Date(message.created_at).toDateString();
    if (its !== day) list.push({ key: `day:${its}`, kind: "day", value: message.created_at });
    day = its;
    list.push({ key: keyOf(message), kind: message.author, value: message });
    for (const failure of failures.filter((entry) => entry.question === message.id)) {
      placed.add(failure);
      list.push({ key: `reply:${failure.reply}`, kind: "failure", value: failure });
    }
  }
  for (const failure of failures) {
    if (!placed.has(failure)) list.push({ key: `reply:${failure.reply}`, kind: "failure", value: failure });
  }
  for (const entry of state.outbox) list.push({ key: `client:${entry.client_id}`, kind: "pending", value: entry });
  for (const reply of state.replies) list.push({ key: `reply:${reply.id}`, kind: "reply", value: reply });
  return list;
}

/** How the conversation went stands in its own card. */
const isShown = ({ author, body }) => author !== "system" || !isRating(body);

function keyOf(message) {
  if (message.author === "ai" && message.reply) return `reply:${message.reply}`;
  return message.client_id ? `client:${message.client_id}` : `message:${message.id}`;
}

/** The customer's message that an answer belongs to: the last one before it. */
export function questionOf(state, answer) {
  const before = state.messages.filter((entry) => entry.author === "customer" && entry.position < answer.position);
  return before.at(-1) ?? null;
}

/** The text of the message that a failed reply was meant for. */
export function questionOfFailure(state, failure) {
  const asked = state.messages.filter((entry) => entry.author === "customer");
  return (asked.find((entry) => entry.id === failure.question) ?? asked.at(-1))?.body ?? null;
}

/** When people are back, while they are away. */
export const backAt = ({ back_at: at }, now = new Date()) => (at && new Date(at) > now ? at : null);

/** Who answers: `{who: "ai" | "waiting" | "person" | "closed", key, values}` with the key of its sentence in strings.js. */
export function presence(state) {
  const conversation = state.conversation;
  const status = conversation?.status ?? "ai";
  if (status === "closed") return { who: "closed", key: "whoClosed", values: {} };
  if (status === "person") {
    return { who: "person", key: conversation.assignee ? "whoPerson" : "whoSomebody", values: { person: conversation.assignee } };
  }
  if (status === "waiting") {
    const position = backAt(conversation) ? null : conversation.waiting_position;
    return { who: "waiting", key: position ? "whoWaitingPosition" : "whoWaiting", values: { position, minutes: conversation.wait_minutes, back: backAt(conversation) } };
  }
  return state.wantsPerson ? { who: "waiting", key: "whoWaiting", values: {} } : { who: "ai", key: "whoAi", values: {} };
}
