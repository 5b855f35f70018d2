/* Live pages: the list is fetched again when the desk's socket says that something changed; in a conversation, new entries are
 * fetched as the server renders them, and an answer being written is shown here token by token (docs/protocol.md). */

import { delay } from "../widget/backoff.js";
import { render } from "../widget/rich_text.js";
import { initial, receive } from "../widget/state.js";
import { lastPosition, notesShown } from "./positions.js";

const PING_SECONDS = 25;
const LIST_PAUSE = 400;
const AT_THE_END = 120;

const list = document.getElementById("list");
const messages = document.getElementById("messages");
const live = document.getElementById("live");
const transcript = document.getElementById("transcript");

let state = initial;
let attempt = 0;
let listTimer = null;
let fetching = false;
let fetchAgain = false;
let mustSeeEnd = false;
let writingTimer = null;
let noteTimer = null;

const isAtEnd = () => !transcript || transcript.scrollHeight - transcript.scrollTop - transcript.clientHeight < AT_THE_END;
const toEnd = () => transcript && (transcript.scrollTop = transcript.scrollHeight);

function refreshList() {
  listTimer ??= setTimeout(() => {
    listTimer = null;
    window.htmx?.trigger(list, "inbox");
  }, LIST_PAUSE);
}

/** Fetch what is new in the transcript. One at a time, so that nothing is fetched twice. */
async function refreshTranscript() {
  if (fetching) {
    fetchAgain = true;
    return;
  }
  fetching = true;
  clearTimeout(noteTimer);
  noteTimer = null;
  const stick = isAtEnd();
  const known = messages.children.length;
  try {
    await window.htmx.ajax("GET", `${messages.dataset.updates}?after=${lastPosition()}&notes=${notesShown()}${document.hidden ? "" : "&seen=1"}`, { target: messages, swap: "beforeend" });
  } finally {
    fetching = false;
  }
  const arrived = [...messages.children].slice(known);
  announce(arrived);
  warnOfLanded(arrived);
  drawLive();
  if (stick || mustSeeEnd) toEnd();
  if (fetchAgain) {
    fetchAgain = false;
    await refreshTranscript();
  }
}

/** Whoever is writing learns that somebody has answered meanwhile. */
function warnOfLanded(items) {
  const answer = items.findLast((item) => item.matches(".message-ai, .message-person"));
  const name = answer?.querySelector(".message-author")?.textContent.trim();
  if (name) document.dispatchEvent(new CustomEvent("desk:landed", { detail: { name } }));
}

/** Finished texts for screen readers, never tokens. */
function announce(items) {
  const texts = items.map((item) => [".message-author", ".message-body"].map((part) => item.querySelector(part)?.textContent.trim() ?? "").join(": "));
  const spoken = texts.filter((text) => text !== ": ");
  if (spoken.length) document.getElementById("announce").textContent = spoken.join(" ");
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** The answers that are being written, below the transcript. What people and models wrote goes in as text only. */
function drawLive() {
  const shown = new Set([...live.children].map((item) => item.dataset.reply));
  // Once a person has it, what the AI still writes is discarded.
  const replies = ["person", "closed"].includes(state.conversation?.status) ? [] : state.replies;
  const wanted = new Set(replies.map((reply) => reply.id));
  for (const item of [...live.children]) if (!wanted.has(item.dataset.reply)) item.remove();
  for (const reply of replies) {
    const item = shown.has(reply.id) ? live.querySelector(`[data-reply="${CSS.escape(reply.id)}"]`) : addLive(reply.id);
    const isReading = reply.phase === "writing" && !reply.text;
    const seen = state.conversation?.writing ? "paused" : isReading ? "reading" : reply.phase;
    const phase = live.dataset[seen] ?? live.dataset.writing;
    item.classList.toggle("has-text", reply.text !== "");
    if (item.querySelector(".phase").textContent !== phase) item.querySelector(".phase").textContent = phase;
    drawText(item.querySelector(".message-body"), reply);
  }
}

/** As the finished message will stand there: what a model writes freely has its form already while it is written. */
function drawText(body, { text, format }) {
  if (body.dataset.drawn === text) return;
  body.dataset.drawn = text;
  const isRich = format === "markdown";
  body.classList.toggle("message-rich", isRich);
  if (isRich) body.replaceChildren(...render({ body: text, format }));
  else body.textContent = text;
}

function addLive(id) {
  const item = element("article", "message message-ai message-live");
  item.dataset.reply = id;
  const head = element("p", "message-head");
  head.append(element("span", "message-author", live.dataset.ai), element("span", "pill pill-brand", live.dataset.mark), element("span", "phase"));
  const body = element("div", "message-body");
  body.dir = "auto";
  item.append(head, body);
  live.append(item);
  return item;
}

function onConversationFrame(frame) {
  const stick = isAtEnd();
  state = receive(state, frame);
  if (state.gap) return false;
  if (["ready", "status"].includes(frame.type)) forgetWritingLater(frame.conversation?.writing_seconds);
  if (["ready", "message", "done", "failed", "status"].includes(frame.type)) {
    // What was streamed stays until the finished message stands above it.
    refreshTranscript();
  } else {
    drawLive();
    if (stick) toEnd();
  }
  return true;
}

/** Who stops writing without a word is forgotten by the server at that time; here too. */
function forgetWritingLater(seconds) {
  clearTimeout(writingTimer);
  if (!seconds) return;
  writingTimer = setTimeout(() => {
    state = { ...state, conversation: { ...state.conversation, writing: null } };
    refreshTranscript();
  }, (seconds + 1) * 1000);
}

/** The list is fetched again; so is what stands beside the open conversation, and its notes, of which its own stream says nothing. */
function onInboxFrame(frame) {
  refreshList();
  if (!live || frame.conversation !== list.dataset.selected) return;
  noteTimer ??= setTimeout(refreshTranscript, LIST_PAUSE);
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}${list.dataset.socket}`);
  const ping = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send('{"type":"ping"}'), PING_SECONDS * 1000);

  socket.addEventListener("open", () => {
    if (attempt > 0) refreshList();
    attempt = 0;
    document.getElementById("connection").hidden = true;
  });
  socket.addEventListener("message", (event) => {
    const frame = JSON.parse(event.data);
    if (frame.type === "inbox") onInboxFrame(frame);
    else if (live && !onConversationFrame(frame)) {
      state = { ...state, gap: false };
      socket.close();
    }
  });
  socket.addEventListener("close", (event) => {
    clearInterval(ping);
    // The session or the role is another one: so is the page.
    if ([4401, 4409].includes(event.code)) location.reload();
    if ([4401, 4403, 4404, 4409].includes(event.code)) return;
    if (attempt > 0) document.getElementById("connection").hidden = false;
    setTimeout(connect, delay(attempt));
    attempt += 1;
  });
}

document.body.addEventListener("replied", async () => {
  if (!messages) return;
  // One's own reply is never below the fold, also when it comes with a fetch that is under way.
  mustSeeEnd = true;
  await refreshTranscript();
  while (fetching) await new Promise((resolve) => setTimeout(resolve, 50));
  toEnd();
  mustSeeEnd = false;
});
// What came while nobody looked is seen now.
document.addEventListener("visibilitychange", () => messages && !document.hidden && refreshTranscript());
toEnd();
connect();
