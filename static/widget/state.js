/* What the customer sees, as a pure function of the frames that arrived (docs/protocol.md) and of what was done locally.
 *
 * The same frame may come twice (a reconnect, a second tab), so applying one must be harmless the second time. A delta counts
 * only in its reply's current attempt and as the next in sequence; when one is missing, `gap` asks for the whole transcript. */

export const initial = Object.freeze({
  cursor: null,
  gap: false,
  synced: false,
  conversation: null,
  messages: [],
  replies: [],
  failures: [],
  outbox: [],
  wantsPerson: false,
  asking: null,
  notice: null,
  left: null,
  leftReplies: [],
});

const HANDLERS = { ready, resumed, message, reply, phase, delta, done, failed, status, error };

/** The state after one frame from the server. Unknown types change nothing. */
export function receive(state, frame) {
  const handler = Object.hasOwn(HANDLERS, frame.type) ? HANDLERS[frame.type] : null;
  if (!handler) return state;
  if (state.gap && frame.type !== "ready") return state;
  const next = handler(state, frame);
  return frame.id && !next.gap ? { ...next, cursor: newest(next.cursor, frame.id) } : next;
}

/** Whether the first cursor (`<milliseconds>-<count>`) stands behind the second. */
export function isBehind(one, other) {
  const [a, b] = [one, other].map((cursor) => String(cursor).split("-").map(Number));
  return a[0] === b[0] ? (a[1] || 0) < (b[1] || 0) : a[0] < b[0];
}

function newest(current, arrived) {
  return current && isBehind(arrived, current) ? current : arrived;
}

function ready(state, frame) {
  const messages = [...frame.messages].sort((a, b) => a.position - b.position);
  const ids = new Set(messages.map((entry) => entry.id));
  return {
    ...state,
    gap: false,
    synced: true,
    left: null,
    leftReplies: [],
    cursor: frame.cursor,
    conversation: frame.conversation,
    messages,
    replies: frame.replies.map((entry) => begun(entry, entry.attempt)),
    failures: state.failures.filter((entry) => ids.has(entry.question) && !isAnswered(messages, entry.reply)),
    outbox: messages.reduce(delivered, state.outbox),
    wantsPerson: state.wantsPerson && !isWithPerson(frame.conversation),
  };
}

function resumed(state, frame) {
  return { ...state, synced: true, cursor: newest(state.cursor, frame.cursor) };
}

function message(state, frame) {
  const arrived = frame.message;
  if (isOfLeft(state, arrived)) return state;
  const known = state.messages.some((entry) => entry.id === arrived.id);
  const startsAnew = !known && state.conversation?.status === "closed" && state.messages.some((entry) => entry.position >= arrived.position);
  const others = startsAnew ? [] : state.messages.filter((entry) => entry.id !== arrived.id);
  return {
    ...state,
    messages: [...others, arrived].sort((a, b) => a.position - b.position),
    outbox: delivered(state.outbox, arrived),
    replies: arrived.reply && arrived.author === "ai" ? without(state.replies, arrived.reply) : state.replies,
    failures: startsAnew ? [] : state.failures,
  };
}

function reply(state, { reply: id, attempt, wait_seconds: wait = null }) {
  if (isFinished(state, id)) return state;
  const current = state.replies.find((entry) => entry.id === id);
  if (current && attempt <= current.attempt && !(wait && attempt === current.attempt)) return state;
  if (current) return replace(state, { ...(attempt > current.attempt ? begun(current, attempt) : current), wait });
  const question = state.messages.findLast((entry) => entry.author === "customer")?.id;
  return { ...state, replies: [...state.replies, begun({ id, question: question ?? null, status: "queued", wait }, attempt)] };
}

function phase(state, frame) {
  if (isFinished(state, frame.reply)) return state;
  const current = state.replies.find((entry) => entry.id === frame.reply);
  if (!current || frame.attempt > current.attempt) {
    const anew = { ...begun(current ?? { id: frame.reply, question: null }, frame.attempt), ...said(frame) };
    return current ? replace(state, anew) : { ...state, replies: [...state.replies, anew] };
  }
  return frame.attempt < current.attempt ? state : replace(state, { ...current, ...said(frame) });
}

function delta(state, frame) {
  if (isFinished(state, frame.reply)) return state;
  const current = state.replies.find((entry) => entry.id === frame.reply);
  if (!current || frame.attempt > current.attempt) return { ...state, gap: true };
  if (frame.attempt < current.attempt || frame.sequence <= current.sequence) return state;
  if (frame.sequence > current.sequence + 1) return { ...state, gap: true };
  const phaseNow = ["queued", "searching"].includes(current.phase) ? "writing" : current.phase;
  return replace(state, { ...current, sequence: frame.sequence, text: current.text + frame.text, phase: phaseNow });
}

function done(state, frame) {
  const next = message(state, frame);
  return { ...next, replies: without(next.replies, frame.reply), failures: next.failures.filter((entry) => entry.reply !== frame.reply) };
}

function failed(state, frame) {
  if (isFinished(state, frame.reply)) return state;
  const question = state.replies.find((entry) => entry.id === frame.reply)?.question ?? null;
  const failure = { reply: frame.reply, question, code: frame.code, message: frame.message };
  return { ...state, replies: without(state.replies, frame.reply), failures: [...state.failures, failure] };
}

function status(state, frame) {
  if (frame.conversation && frame.conversation.id === state.left) return state;
  return { ...state, conversation: frame.conversation, wantsPerson: state.wantsPerson && !isWithPerson(frame.conversation) };
}

function error(state, frame) {
  if (frame.error.code === "unavailable" && frame.client_id) return state;
  if (!frame.client_id) return { ...state, notice: frame.error };
  const refused = (entry) => (entry.client_id === frame.client_id ? { ...entry, refused: frame.error } : entry);
  return { ...state, outbox: state.outbox.map(refused) };
}

export const isWithPerson = (conversation) => conversation?.status === "waiting" || conversation?.status === "person";

const isAnswered = (messages, id) => messages.some((entry) => entry.author === "ai" && entry.reply === id);
const isFinished = (state, id) =>
  isAnswered(state.messages, id) || state.leftReplies.includes(id) || state.failures.some((entry) => entry.reply === id);
const isOfLeft = (state, entry) =>
  state.leftReplies.includes(entry.reply) || (state.left !== null && !state.conversation && !state.messages.length && entry.position > 1);
const begun = (entry, attempt) => ({ ...entry, attempt, phase: entry.status === "running" ? "searching" : "queued", text: "", sequence: 0 });
// The phase in which the text begins tells its format.
const said = ({ phase, format }) => (format ? { phase, format } : { phase });
const without = (replies, id) => replies.filter((entry) => entry.id !== id);
const replace = (state, changed) => ({ ...state, replies: state.replies.map((entry) => (entry.id === changed.id ? changed : entry)) });
const delivered = (outbox, arrived) => (arrived.client_id ? outbox.filter((entry) => entry.client_id !== arrived.client_id) : outbox);
