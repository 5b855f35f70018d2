import { isBehind, receive } from "/static/widget/state.js";
import { after, begun, conversation, delta, done, message, ready } from "./builders.mjs";
import { equal, test } from "./harness.mjs";

const texts = (state) => state.replies.map((reply) => reply.text);

test("deltas append in sequence", () => {
  equal(texts(after(ready(), begun(), delta(1, "Hel"), delta(2, "lo"))), ["Hello"]);
});

test("a repeated delta is ignored", () => {
  equal(texts(after(ready(), begun(), delta(1, "a"), delta(2, "b"), delta(1, "a"), delta(2, "b"))), ["ab"]);
});

test("a missing delta asks for the transcript and changes nothing until it comes", () => {
  const state = after(ready(), begun(), delta(1, "a"), delta(3, "c"), delta(4, "d"), done());
  equal([state.gap, texts(state), state.messages.length, state.cursor], [true, ["a"], 0, "21-0"]);
  equal(receive(state, ready({ messages: [message(1)] })).gap, false);
});

test("a delta of an older attempt is ignored", () => {
  equal(texts(after(ready(), begun(), delta(1, "old"), begun(2), delta(2, "old", 1), delta(1, "new", 2))), ["new"]);
});

test("a delta of an unknown newer attempt asks for the transcript", () => {
  equal(after(ready(), begun(), delta(1, "x", 2)).gap, true);
});

test("a delta of an unknown reply asks for the transcript", () => {
  equal(after(ready(), delta(1, "x")).gap, true);
});

test("a late delta after the end is ignored", () => {
  const state = after(ready(), begun(), delta(1, "a"), done(), delta(2, "b"));
  equal([state.gap, state.replies, state.messages.map((entry) => entry.body)], [false, [], ["final"]]);
});

test("a reply that begins anew drops its text", () => {
  equal(texts(after(ready(), begun(), delta(1, "a"), begun(2))), [""]);
});

test("a queued reply keeps its place when it begins", () => {
  const state = after(ready({ messages: [message(1)] }), begun(0), begun(1));
  equal(state.replies.map(({ id, attempt, question, phase }) => ({ id, attempt, question, phase })), [{ id: "r1", attempt: 1, question: "m1", phase: "queued" }]);
});

test("phases follow the current attempt", () => {
  const phase = (name, attempt) => ({ type: "phase", id: "21-0", reply: "r1", attempt, phase: name });
  equal(after(ready(), begun(), phase("searching", 1)).replies[0].phase, "searching");
  equal(after(ready(), begun(2), phase("checked", 1)).replies[0].phase, "queued");
  equal(after(ready(), begun(), phase("searching", 1), delta(1, "a")).replies[0].phase, "writing");
});

test("the phase in which the text begins tells its format, which the next attempt may change", () => {
  const phase = (name, attempt, format) => ({ type: "phase", id: "21-0", reply: "r1", attempt, phase: name, format });
  const formats = (...frames) => after(ready(), begun(), ...frames).replies[0].format ?? null;
  equal(formats(phase("searching", 1)), null);
  equal(formats(phase("searching", 1), phase("writing", 1, "markdown"), delta(1, "a"), phase("checked", 1)), "markdown");
  equal(formats(phase("writing", 1, "markdown"), phase("writing", 2, "plain")), "plain");
});

test("the final message replaces the streamed text once", () => {
  const state = after(ready({ messages: [message(1)] }), begun(), delta(1, "draft"), done(), done());
  equal([state.replies, state.messages.map((entry) => entry.body)], [[], ["text 1", "final"]]);
});

test("a queued reply shows its wait until a worker begins it", () => {
  const queued = { ...begun(0), wait_seconds: 40 };
  const known = ready({ replies: [{ id: "r1", question: "m1", status: "queued", attempt: 0 }] });
  const waits = (...frames) => after(...frames).replies.map((entry) => entry.wait);
  equal([waits(ready(), queued), waits(known, queued), waits(ready(), queued, begun(1))], [[40], [40], [null]]);
});

test("a failed reply leaves its sentence and ends", () => {
  const failed = { type: "failed", id: "30-0", reply: "r1", code: "worker_lost", message: "Ask again." };
  const state = after(ready({ messages: [message(1)] }), begun(), failed, failed);
  equal([state.replies, state.failures], [[], [{ reply: "r1", question: "m1", code: "worker_lost", message: "Ask again." }]]);
});

test("a message is stored once and kept in order", () => {
  const frame = (position) => ({ type: "message", id: `${position}0-0`, message: message(position) });
  equal(after(ready(), frame(2), frame(1), frame(2)).messages.map((entry) => entry.position), [1, 2]);
});

test("the first message after the end of a conversation starts a clean page", () => {
  const closed = { type: "status", id: "40-0", conversation: conversation({ status: "closed" }) };
  const first = { type: "message", id: "41-0", message: message(1, { id: "other" }) };
  equal(after(ready({ messages: [message(1), message(2)] }), closed, first).messages.map((entry) => entry.id), ["other"]);
});

test("ready replaces the whole transcript", () => {
  const state = after(ready({ messages: [message(1)] }), begun(), delta(1, "a"), ready({ messages: [message(3), message(2)], cursor: "99-0" }));
  equal([state.messages.map((entry) => entry.id), state.replies, state.cursor], [["m2", "m3"], [], "99-0"]);
});

test("deltas replayed behind ready leave the cursor where it is", () => {
  const state = after(ready({ cursor: "50-0", replies: [{ id: "r1", question: "m1", status: "running", attempt: 1 }] }), delta(1, "a"), delta(2, "b"));
  equal([texts(state), state.cursor], [["ab"], "50-0"]);
});

test("cursors compare by number, not by text", () => {
  equal([isBehind("9-0", "10-0"), isBehind("10-2", "10-10"), isBehind("10-1", "10-1")], [true, true, false]);
});

test("unknown frames change nothing", () => {
  const state = after(ready());
  equal(receive(state, { type: "toString" }) === state && receive(state, { type: "later" }) === state, true);
});
