import { items, presence, questionOf, questionOfFailure } from "/static/widget/items.js";
import { askedForPerson, begunAnew, discarded, rated, retried, stopped, turnedAway, unsent, wrote } from "/static/widget/local_state.js";
import { receive } from "/static/widget/state.js";
import { after, begun, conversation, delta, done, message, ready } from "./builders.mjs";
import { equal, test } from "./harness.mjs";

const entry = (clientId) => ({ client_id: clientId, body: `body ${clientId}`, created_at: "2025-03-01T10:00:00Z" });
const keys = (state) => items(state, new Date("2025-03-01T12:00:00Z")).map((item) => `${item.kind} ${item.key}`);

test("a written message waits until the server returns it", () => {
  const waiting = wrote(wrote(after(ready()), entry("a")), entry("b"));
  equal(unsent(waiting).map((item) => item.client_id), ["a", "b"]);
  const frame = { type: "message", id: "11-0", message: message(1, { client_id: "a" }) };
  equal(unsent(receive(waiting, frame)).map((item) => item.client_id), ["b"]);
});

test("what arrived before the connection was lost is not sent again", () => {
  const waiting = wrote(wrote(after(ready()), entry("a")), entry("b"));
  equal(unsent(receive(waiting, ready({ messages: [message(1, { client_id: "a" })] }))).map((item) => item.client_id), ["b"]);
});

test("a refused message keeps its text and is sent only on request", () => {
  const error = { type: "error", error: { code: "too_many_requests", message: "Wait." }, client_id: "a" };
  const refused = receive(wrote(after(ready()), entry("a")), error);
  equal([unsent(refused), refused.outbox[0].refused.message], [[], "Wait."]);
  equal(unsent(retried(refused, "a")), [entry("a")]);
  equal(discarded(refused, "a").outbox, []);
});

test("a message that found the line full waits for the customer's choice", () => {
  const busy = { type: "error", error: { code: "busy", message: "Full.", wait_seconds: 40 }, client_id: "a" };
  const refused = receive(wrote(wrote(after(ready()), entry("a")), entry("b")), busy);
  equal([turnedAway(refused).map((item) => item.client_id), unsent(refused).map((item) => item.client_id)], [["a"], ["b"]]);
});

test("a message refused only because a part is away stays in line", () => {
  const error = { type: "error", error: { code: "unavailable", message: "Later." }, client_id: "a" };
  equal(unsent(receive(wrote(after(ready()), entry("a")), error)).length, 1);
});

test("an error without a message becomes a notice", () => {
  equal(after(ready(), { type: "error", error: { code: "conflict", message: "No." }, client_id: null }).notice.message, "No.");
});

test("asking for a person lasts until the server says so", () => {
  const asked = askedForPerson(after(ready()));
  equal([asked.wantsPerson, receive(asked, ready()).wantsPerson, presence(asked).who], [true, true, "waiting"]);
  const waiting = { type: "status", id: "12-0", conversation: conversation({ status: "waiting", waiting_position: 2, wait_minutes: 8 }) };
  equal([receive(asked, waiting).wantsPerson, presence(receive(asked, waiting)).values], [false, { position: 2, minutes: 8, back: null }]);
});

test("a new conversation ignores what the old one still says", () => {
  const left = begunAnew(after(ready({ messages: [message(1)] }), begun(), delta(1, "a")));
  const closed = { type: "status", id: "30-0", conversation: conversation({ status: "closed" }) };
  const state = [closed, delta(2, "b"), done(), { type: "message", id: "31-0", message: message(3) }].reduce(receive, left);
  equal([state.conversation, state.messages, state.replies, state.gap], [null, [], [], false]);
});

test("writing after the end starts a clean page", () => {
  const closed = after(ready({ conversation: conversation({ status: "closed" }), messages: [message(1)] }));
  equal([wrote(closed, entry("a")).messages, wrote(closed, entry("a")).outbox.length], [[], 1]);
});

test("an entry keeps its key from unsent to stored and from writing to written", () => {
  const waiting = wrote(after(ready()), entry("a"));
  equal(keys(waiting), ["pending client:a"]);
  const stored = receive(waiting, { type: "message", id: "11-0", message: message(1, { client_id: "a" }) });
  equal(keys(receive(stored, begun())), ["customer client:a", "reply reply:r1"]);
  equal(keys([begun(), done()].reduce(receive, stored)), ["customer client:a", "ai reply:r1"]);
});

test("a failure stands behind its question, and knows its text", () => {
  const failed = { type: "failed", id: "30-0", reply: "r1", code: "deadline", message: "Late." };
  const later = { type: "message", id: "31-0", message: message(2) };
  const state = after(ready({ messages: [message(1)] }), begun(), failed, later);
  equal(keys(state), ["customer message:m1", "failure reply:r1", "customer message:m2"]);
  equal(questionOfFailure(state, state.failures[0]), "text 1");
});

test("days are separated, today is not announced", () => {
  const state = after(ready({ messages: [message(1, { created_at: "2025-02-26T12:00:00" }), message(2, { created_at: "2025-03-01T12:00:00" })] }));
  equal(items(state, new Date("2025-03-01T13:00:00")).map((item) => item.kind), ["day", "customer", "day", "customer"]);
});

test("an answer belongs to the question before it", () => {
  const state = after(ready({ messages: [message(1), message(2, { author: "ai" }), message(3)] }));
  equal(questionOf(state, state.messages[1]).id, "m1");
});

test("stopping is shown at once", () => {
  equal(stopped(after(ready(), begun()), "r1").replies[0].stopping, true);
});

test("a rating is shown at once, asks why after the second thumb, and is taken back when it was refused", () => {
  const answered = after(ready(), begun(), done());
  const given = { rating: "down", reason: "", comment: "" };
  const asked = rated(answered, "m2", given, "m2");
  equal([asked.asking, asked.messages.map((each) => each.feedback)], ["m2", [given]]);
  const refused = rated(asked, "m2", null);
  equal([refused.asking, refused.messages.map((each) => each.feedback)], [null, [null]]);
});

test("the reasons stay open when the rated message comes back", () => {
  const given = { rating: "down", reason: "wrong", comment: "" };
  const asked = rated(after(ready(), begun(), done()), "m2", given, "m2");
  const again = receive(asked, { type: "message", id: "95-0", message: { ...asked.messages[0], feedback: given } });
  equal([again.asking, again.messages.length, again.messages[0].feedback], ["m2", 1, given]);
});
