/* The conversation by mail: asks for the address in the drawer, and says what became of it. */

import { h, show } from "./dom.js";
import { postTranscript } from "./session.js";
import { language, say } from "./strings.js";

const ADDRESS = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** Returns what opens the form for the current conversation. */
export function createMailing({ store, drawer, connection, urls, announce }) {
  return () => {
    const conversation = store.state.conversation;
    if (!conversation) return;
    const state = { address: "", isSent: false };
    const build = () => ({ kind: "mailing", title: say("mailing.title"), content: state.isSent ? [h("p", {}, say("mailing.sent", state))] : [form(state, send)] });

    async function send(problem) {
      const words = ADDRESS.test(state.address) ? await postTranscript(urls.transcript(conversation.id, language()), connection.token, state.address) : say("emailInvalid");
      if (words === "") {
        state.isSent = true;
        drawer.refresh(build);
        announce(say("mailing.sent", state));
        return;
      }
      problem.textContent = words ?? say("mailing.failed");
      show(problem, true);
    }

    drawer.open(build);
  };
}

function form(state, send) {
  const problem = h("p.waiting-problem", { role: "alert", id: "mailing-problem", hidden: true });
  const field = h("input", {
    id: "mailing-address", type: "email", inputmode: "email", autocomplete: "email", maxlength: 254, required: true, "aria-describedby": "mailing-problem",
    oninput: () => {
      state.address = field.value.trim();
      show(problem, false);
    },
  });
  field.value = state.address;
  async function submit(event) {
    event.preventDefault();
    const button = event.target.querySelector("[type=submit]");
    if (button.disabled) return;
    button.disabled = true;
    await send(problem);
    button.disabled = false;
    if (!problem.hidden) field.focus();
  }
  return h(
    "form.waiting-email",
    { novalidate: true, onsubmit: submit },
    h("p", {}, say("mailing.text")),
    h("label", { for: "mailing-address" }, say("mailing.address")),
    h("div.waiting-row", {}, field, h("button.pill.pill-person", { type: "submit" }, say("emailSend"))),
    problem,
  );
}
