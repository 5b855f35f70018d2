/* Draws the whole state: what stands around the transcript, and the transcript. */

import { showBanner, showPresence, showStop, showWelcome } from "./chrome_view.js";
import { byId, show } from "./dom.js";
import { backAt } from "./items.js";
import { isWithPerson } from "./state.js";
import { language, say } from "./strings.js";

export function draw(state, { network, session, contact, names, composer, transcript, waiting, survey, preChat, slow, actions, refocus, onAsk, onDismiss }) {
  const { company, assistant } = names;
  const connected = network.state === "open";
  const welcome = session?.welcome || say("introduction", names);
  showPresence(state, assistant);
  showStop(state, refocus);
  show(byId("mailing"), state.messages.some(({ author }) => author === "ai" || author === "person"));
  show(byId("solved"), state.messages.length > 0 && state.conversation?.status !== "closed");
  waiting.update(state, connected);
  survey.update(state.conversation, language());
  showWelcome(state, { suggestions: session?.suggestions ?? [], welcome, back: backAt(session ?? {}), ready: session !== null, onAsk });
  const asksFirst = preChat.update(state, session?.pre_chat ?? null);
  show(byId("composer"), !asksFirst);
  if (asksFirst) show(byId("suggestions-block"), false);
  showBanner({ network: network.state, attempts: network.attempts, contact, notice: state.notice, onDismiss });
  composer.translate(isWithPerson(state.conversation) || state.wantsPerson);
  transcript.update(state, { assistant, company, connected, slow, actions });
}

/** The buttons of the page's frame, and Escape. */
export function wire({ actions, host }) {
  byId("person").addEventListener("click", actions.person);
  byId("stop").addEventListener("click", actions.stop);
  byId("close").addEventListener("click", () => host.close());
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing && event.keyCode !== 229) host.close();
  });
}
