/* Starts the widget inside its frame and joins its parts: frames change the state, the state changes the page. */

import { dress } from "./accent.js";
import { createActions } from "./actions.js";
import { Announcer } from "./announcer.js";
import { fillIcons, presenceWords, showBanner, showPresence, showStop, showWelcome, translatePage } from "./chrome_view.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { byId, show } from "./dom.js";
import { Drawer } from "./drawer.js";
import { Host } from "./host.js";
import { disconnected } from "./local_state.js";
import { LogKeys } from "./log_keys.js";
import { Menu } from "./menu.js";
import { addresses } from "./session.js";
import { SlowReplies } from "./slow_replies.js";
import { isWithPerson, receive } from "./state.js";
import { createStorage } from "./storage.js";
import { Store } from "./store.js";
import { language, languageOf, speak } from "./strings.js";
import { TranscriptView } from "./transcript_view.js";
import { WaitingCard } from "./waiting.js";
import { forgetWriting } from "./writing.js";

const page = document.body.dataset;
const query = new URLSearchParams(window.location.search);
const storage = createStorage(page.tenant);
const urls = addresses(page.tenant);
const pageLanguage = languageOf(query.get("language") ?? page.language);
const chosen = storage.get("language");
const store = new Store(storage);
const host = new Host(query.get("origin"));
const announcer = new Announcer();
const network = { state: "connecting", attempts: 0 };
let session = null;
let isKnown = false;
let frame = 0;

dress(document.documentElement, { accent: query.get("accent"), theme: query.get("theme") });
fillIcons();
speak(chosen?.instead === pageLanguage ? chosen.language : pageLanguage);

const names = () => ({
  company: (language() === "zh" && page.companyZh) || page.company,
  assistant: session?.assistant?.name ?? "",
});
const draw = () => {
  frame ||= requestAnimationFrame(render);
};
const slow = new SlowReplies(draw);
const drawer = new Drawer();
const transcript = new TranscriptView(new LogKeys(byId("log")));
const composer = new Composer({
  draft: storage.get("draft", ""),
  onSend: (body) => actions.send(body),
  onChange: (text) => storage.set("draft", text),
});
const refocus = () => (window.matchMedia("(pointer: coarse)").matches ? byId("company").focus({ preventScroll: true }) : composer.focus());
const connection = new Connection({
  urls,
  storage,
  language: language(),
  hooks: { cursor: () => store.state.cursor, onFrame, onState, onSession },
});
const actions = createActions({ store, connection, drawer, composer, urls, names, refocus, announce: (text) => announcer.announce(text) });
const waiting = new WaitingCard(actions);
new Menu((item) => (item.dataset.language ? changeLanguage(item.dataset.language) : actions.begin()));

store.listen((state, before) => {
  slow.watch(state.replies);
  if (state.conversation !== before.conversation) forgetWriting(store);
  const known = new Set(before.messages.map((message) => message.id));
  const arrived = isKnown ? state.messages.filter((message) => !known.has(message.id)) : [];
  for (const message of arrived) announcer.message(message, names());
  for (const message of arrived) if (message.author === "ai" || message.author === "person") host.arrived();
  const words = presenceWords(state, names().assistant);
  if (isKnown && words !== presenceWords(before, names().assistant)) announcer.announce(words);
  if (state.gap && !before.gap) connection.connect({ fresh: true });
  draw();
});

function onFrame(received) {
  store.change(receive, received);
  if (received.type === "failed") announcer.announce(received.message);
  if (received.type === "error" && received.error.code === "unavailable") actions.flushSoon();
  else if (received.type === "error") announcer.announce(received.error.message);
  isKnown ||= received.type === "ready";
}

function onState(now) {
  network.state = now;
  network.attempts = now === "lost" ? network.attempts + 1 : 0;
  if (now === "open") actions.flush();
  else store.change(disconnected);
  draw();
}

function onSession(opened) {
  session = opened;
  composer.limit = opened.limits.message_characters;
  translatePage(names());
  draw();
}

function changeLanguage(to) {
  speak(to);
  storage.set("language", { instead: pageLanguage, language: to });
  translatePage(names());
  drawer.refresh();
  host.speaks(to);
  connection.connect({ language: to });
}

function render() {
  frame = 0;
  const { state } = store;
  const { company, assistant } = names();
  const connected = network.state === "open";
  const contact = session?.tenant?.contact_email || page.contact;
  showPresence(state, assistant);
  showStop(state, refocus);
  waiting.update(state, connected);
  showWelcome(state, { suggestions: session?.suggestions ?? [], ready: session !== null, onAsk: (text) => ask(text) });
  showBanner({ network: network.state, attempts: network.attempts, contact, notice: state.notice, onDismiss: dismiss });
  composer.translate(isWithPerson(state.conversation) || state.wantsPerson);
  transcript.update(state, { assistant, company, connected, slow, actions });
}

function ask(text) {
  actions.send(text);
  refocus();
}

function dismiss() {
  store.change((state) => ({ ...state, notice: null }));
  refocus();
}

byId("person").addEventListener("click", actions.person);
byId("stop").addEventListener("click", actions.stop);
byId("close").addEventListener("click", () => host.close());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing && event.keyCode !== 229) host.close();
});
show(byId("close"), host.isEmbedded);
translatePage(names());
draw();
host.listen({ onOpen: () => (drawer.isOpen ? drawer.focus() : refocus()) });
if (language() !== pageLanguage) host.speaks(language());
connection.connect({ state: "connecting" });
