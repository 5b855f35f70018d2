import { afterClose, afterSession, delay, waitFor } from "/static/widget/backoff.js";
import { Connection } from "/static/widget/connection.js";
import { createStorage, holderOf } from "/static/widget/storage.js";
import { equal, test } from "./harness.mjs";

const middle = () => 0.5;

test("waits grow from half a second to eight and stay there", () => {
  equal([0, 1, 2, 3, 4, 5, 50].map((attempt) => delay(attempt, middle)), [500, 1000, 2000, 4000, 8000, 8000, 8000]);
});

test("jitter spreads a wait by a quarter to both sides", () => {
  equal([delay(2, () => 0), delay(2, () => 1)], [1500, 2500]);
});

test("close codes say what to do", () => {
  equal([1006, 1012, 4400, 4401, 4403, 4404, 4428, 4429].map(afterClose), ["again", "again", "again", "session", "unavailable", "unavailable", "ticket", "slow"]);
  equal([200, 0, 503, 401, 403, 404, 428, 429].map(afterSession), [null, "again", "again", "session", "unavailable", "unavailable", "reload", "slow"]);
});

test("a refused token is replaced at once the first time, a limit waits longest", () => {
  equal([waitFor("session", 0, middle), waitFor("session", 1, middle), waitFor("slow", 0, middle)], [0, 1000, 8000]);
});

test("storage that throws falls back to memory", () => {
  const broken = { getItem: () => { throw new Error("denied"); }, setItem: () => { throw new Error("denied"); }, removeItem: () => { throw new Error("denied"); } };
  for (const backing of [broken, null]) {
    const storage = createStorage("acme", backing);
    storage.set("token", "t");
    equal([storage.get("token"), storage.get("draft", "")], ["t", ""]);
    storage.remove("token");
    equal(storage.get("token"), null);
  }
});

test("storage keeps companies apart", () => {
  createStorage("one").set("token", "1");
  equal([createStorage("one").get("token"), createStorage("two").get("token")], ["1", null]);
});

/** A network of fakes: sockets are opened and closed by hand, sessions are counted. */
function network({ cursor = null, lasts = 600, identity = null, refuses = false } = {}) {
  const log = { sockets: [], sessions: 0, asked: [], identities: [], refused: [], states: [], frames: [] };
  const real = { WebSocket: window.WebSocket, fetch: window.fetch };
  window.WebSocket = class extends EventTarget {
    static OPEN = 1;
    readyState = 1;
    sent = [];
    constructor(url, protocols) {
      super();
      Object.assign(this, { url, protocols });
      log.sockets.push(this);
    }
    send(text) {
      this.sent.push(JSON.parse(text));
    }
    close() {}
    says(frame) {
      this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(frame) }));
    }
    ends(code) {
      this.dispatchEvent(new CloseEvent("close", { code }));
    }
  };
  window.fetch = async (_url, { headers, body }) => {
    log.sessions += 1;
    log.identities.push(body ? JSON.parse(body).identity : null);
    if (refuses) return new Response(JSON.stringify({ error: { reason: "expired" } }), { status: 422 });
    log.asked.push([headers.Authorization ?? "", headers["Glassdesk-Ticket"]]);
    return new Response(JSON.stringify({ token: `t${log.sessions}`, ticket: `o${log.sessions}`, ticket_expires_in: lasts }));
  };
  const storage = createStorage("acme", null);
  const hooks = {
    cursor: () => cursor,
    onSession: () => {},
    onRefused: (error) => log.refused.push(error.reason),
    onFrame: (frame) => log.frames.push(frame.type),
    onState: (state) => log.states.push(state),
  };
  const connection = new Connection({ urls: { session: "/session", socket: "ws://test/" }, storage, ticket: "o0", identity, language: "en", hooks });
  const restore = () => Object.assign(window, real);
  return { log, connection, restore };
}

const until = async (condition) => {
  for (let turn = 0; turn < 200 && !condition(); turn += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  if (!condition()) throw new Error("it never happened");
};

test("the token goes into the subprotocol, not into the address", async () => {
  const { log, connection, restore } = network();
  await connection.connect();
  restore();
  equal([log.sockets[0].url, log.sockets[0].protocols], ["ws://test/?language=en", ["glassdesk.v1", "visitor.t1", "origin.o1"]]);
  equal(log.asked, [["", "o0"]]);
});

test("a lost socket comes back behind the cursor with the same session", async () => {
  const { log, connection, restore } = network({ cursor: "7-1" });
  await connection.connect();
  log.sockets[0].says({ type: "ready" });
  log.sockets[0].ends(1012);
  await until(() => log.sockets.length === 2);
  restore();
  equal([log.sockets[1].url, log.sessions, log.states], ["ws://test/?language=en&after=7-1", 1, ["open", "lost"]]);
});

test("a fresh connection leaves the cursor out", async () => {
  const { log, connection, restore } = network({ cursor: "7-1" });
  await connection.connect();
  await connection.connect({ fresh: true });
  restore();
  equal(log.sockets.map((socket) => socket.url.includes("after")), [true, false]);
});

test("a refused token asks for a new session", async () => {
  const { log, connection, restore } = network();
  await connection.connect();
  log.sockets[0].ends(4401);
  await until(() => log.sockets.length === 2);
  restore();
  equal([log.sessions, log.sockets[1].protocols[1]], [2, "visitor.t2"]);
});

test("an old ticket is renewed, and the visitor stays", async () => {
  const { log, connection, restore } = network();
  await connection.connect();
  log.sockets[0].ends(4428);
  await until(() => log.sockets.length === 2);
  restore();
  equal([log.asked[1], log.sockets[1].protocols], [["Bearer t1", "o1"], ["glassdesk.v1", "visitor.t2", "origin.o2"]]);
});

test("a ticket that is about to end is renewed before it is used again", async () => {
  const { log, connection, restore } = network({ lasts: 30 });
  await connection.connect();
  log.sockets[0].says({ type: "ready" });
  log.sockets[0].ends(1012);
  await until(() => log.sockets.length === 2);
  restore();
  equal([log.sessions, log.sockets[1].protocols[2]], [2, "origin.o2"]);
});

test("a signed identity is presented once, and again when its visit has ended", async () => {
  const { log, connection, restore } = network({ identity: "a.b.c" });
  await connection.connect();
  await connection.connect({ language: "zh" });
  log.sockets[1].ends(4401);
  await until(() => log.sockets.length === 3);
  restore();
  equal(log.identities, ["a.b.c", null, "a.b.c"]);
});

test("an identity that does not count is said and not tried again", async () => {
  const { log, connection, restore } = network({ identity: "a.b.c", refuses: true });
  await connection.connect();
  restore();
  equal([log.refused, log.sessions, log.sockets.length, log.states], [["expired"], 1, 0, []]);
});

test("a signed-in customer's values are kept apart, under no name of theirs", () => {
  const token = (claims) => `x.${btoa(JSON.stringify(claims)).replaceAll("=", "")}.y`;
  const [one, other, later] = [{ sub: "customer-7" }, { sub: "customer-8" }, { sub: "customer-7", exp: 9 }].map((claims) => holderOf("acme", token(claims)));
  equal([holderOf("acme", null), one === other, one === later, one.includes("customer"), one.startsWith("acme~")], ["acme", false, true, false, true]);
});

test("an unknown company is not tried again", async () => {
  const { log, connection, restore } = network();
  await connection.connect();
  log.sockets[0].ends(4404);
  restore();
  equal([log.sockets.length, log.states], [1, ["unavailable"]]);
});

test("an abandoned socket is not listened to", async () => {
  const { log, connection, restore } = network();
  await connection.connect();
  await connection.connect();
  log.sockets[0].says({ type: "message" });
  log.sockets[0].ends(1006);
  log.sockets[1].says({ type: "pong" });
  log.sockets[1].says({ type: "resumed" });
  restore();
  equal([log.frames, log.states], [["resumed"], ["open"]]);
});
