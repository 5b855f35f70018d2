/* Starts the widget inside its frame and joins its parts: frames change the state, the state changes the page. */

import { dress } from "./accent.js";
import { createActions } from "./actions.js";
import { Announcer } from "./announcer.js";
import { tellArrivals } from "./arrivals.js";
import { fillIcons, translatePage } from "./chrome_view.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { byId, show } from "./dom.js";
import { Drawer } from "./drawer.js";
import { Host } from "./host.js";
import { disconnected } from "./local_state.js";
import { LogKeys } from "./log_keys.js";
import { Menu } from "./menu.js";
import { answerPage, refuse } from "./page_calls.js";
import { PreChat } from "./pre_chat.js";
import * as picture from "./picture.js";
import { addresses, takeResume } from "./session.js";
import { SlowReplies } from "./slow_replies.js";
import { receive } from "./state.js";
import { createStorage, holderOf } from "./storage.js";
import { Store } from "./store.js";
import { language, languageOf, speak } from "./strings.js";
import { SurveyCard } from "./survey.js";
import { TranscriptView } from "./transcript_view.js";
import { WaitingCard } from "./waiting.js";
import { forgetWriting } from "./writing.js";

const page = document.body.dataset;
const query = new URLSearchParams(window.location.search);
const host = new Host(query.get("origin"));
const identity = query.has("identified") ? await host.identity() : null;
const storage = createStorage(holderOf(page.tenant, identity));
if (query.has("forget")) storage.clear();
const resume = takeResume();
const urls = addresses(page.tenant);
const pageLanguage = languageOf(query.get("language") ?? page.language);
const chosen = storage.get("language");
const store = new Store(storage);
const announcer = new Announcer();
const network = { state: "connecting", attempts: 0 };
let [session, isKnown, frame] = [null, false, 0];

dress(document.documentElement, { accent: query.get("accent") || page.accent, theme: query.get("theme") });
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
  ticket: page.ticket,
  identity,
  resume,
  language: language(),
  hooks: { cursor: () => store.state.cursor, onFrame, onState, onSession, onRefused: (error) => refuse({ host, query, error }), onLinkExpired: notify },
});
const actions = createActions({ store, connection, drawer, composer, urls, names, refocus, announce: (text) => announcer.announce(text) });
const waiting = new WaitingCard(actions);
const survey = new SurveyCard(actions.rateConversation);
byId("waiting").before(survey.element);
const preChat = new PreChat({ connection, urls, onDone: () => [draw(), requestAnimationFrame(refocus)] });
new Menu((item) => (item.dataset.language ? changeLanguage(item.dataset.language) : actions[item.dataset.action]()));

store.listen((state, before) => {
  slow.watch(state.replies);
  if (state.conversation !== before.conversation) forgetWriting(store);
  tellArrivals({ state, before, isKnown, names: names(), announcer, host });
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
  if (now === "open") {
    tellContext();
    actions.flush();
  } else store.change(disconnected);
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
  const contact = session?.tenant?.contact_email || page.contact;
  picture.draw(store.state, {
    network, session, contact, names: names(), composer, transcript, waiting, survey, preChat, slow, actions, refocus, onAsk: ask, onDismiss: dismiss,
  });
}

function ask(text) {
  actions.send(text);
  refocus();
}

function notify(notice) {
  store.change((state) => ({ ...state, notice }));
}

function dismiss() {
  notify(null);
  refocus();
}

picture.wire({ actions, host });
show(byId("close"), host.isEmbedded);
translatePage(names());
draw();
const tellContext = answerPage({
  host,
  accent: page.accent,
  connection,
  onOpen: () => (drawer.isOpen ? drawer.focus() : refocus()),
  changeLanguage: (tag) => languageOf(tag) !== language() && changeLanguage(languageOf(tag)),
});
if (language() !== pageLanguage) host.speaks(language());
if (!query.has("forget")) connection.connect({ state: "connecting" });
