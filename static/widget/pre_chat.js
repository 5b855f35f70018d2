/* What the company asks before the first message. It stands in the place of the message field until it is sent; a person can be
 * asked for without it. */

import { byId, h, show } from "./dom.js";
import { putDetails } from "./session.js";
import { language, say } from "./strings.js";

const FIELDS = ["name", "email", "own"];
const KINDS = { name: { type: "text", autocomplete: "name" }, email: { type: "email", autocomplete: "email", inputmode: "email" }, own: { type: "text", autocomplete: "off" } };

export class PreChat {
  #element = byId("pre-chat");
  #keep;
  #shown = "";
  #isDone = false;
  #drafts = {};

  /** `keep(details)` stores them and returns null, or what is wrong: `{message, parameter}`; `onDone` runs when they are stored. */
  constructor({ connection, urls, onDone }) {
    this.#keep = async (details) => {
      const wrong = await putDetails(urls.details(language()), connection.token, details);
      if (!wrong) {
        this.#isDone = true;
        onDone();
      }
      return wrong;
    };
  }

  /** `form`: what the session says is asked, or null. Returns whether the customer has to answer first. */
  update(state, form) {
    const isEmpty = !state.conversation && !state.messages.length && !state.outbox.length && !state.wantsPerson;
    const asks = Boolean(form) && !this.#isDone && isEmpty;
    show(this.#element, asks);
    const shown = JSON.stringify([form, language()]);
    if (asks && shown !== this.#shown) {
      this.#shown = shown;
      this.#element.replaceChildren(...this.#fields(form));
    }
    return asks;
  }

  #fields(form) {
    const inputs = FIELDS.filter((name) => form[name] !== "no").map((name) => this.#field(name, form));
    const problem = h("p.waiting-problem", { role: "alert", hidden: true });
    const consent = form.consent ? h("input", { type: "checkbox", id: "pre-chat-consent" }) : null;
    const send = h("button.pill.pill-act", { type: "submit" }, say("preChat.start"));
    return [
      h("h2.pre-chat-title", {}, say("preChat.title")),
      h(
        "form.pre-chat-form",
        { novalidate: true, onsubmit: (event) => this.#submit(event, { problem, consent, send }) },
        ...inputs,
        consent ? h("label.pre-chat-consent", {}, consent, h("span", { dir: "auto" }, form.consent)) : null,
        problem,
        h("div.row", {}, send),
      ),
    ];
  }

  #field(name, form) {
    const id = `pre-chat-${name}`;
    const words = name === "own" ? form.own_label : say(`preChat.${name}`);
    const input = h("input", { id, name, maxlength: 254, dir: "auto", required: form[name] === "required", ...KINDS[name], oninput: () => (this.#drafts[name] = input.value) });
    input.value = this.#drafts[name] ?? "";
    const label = form[name] === "optional" ? say("preChat.optional", { label: words }) : words;
    return h("div.pre-chat-field", {}, h("label", { for: id, dir: "auto" }, label), input);
  }

  async #submit(event, { problem, consent, send }) {
    event.preventDefault();
    if (send.disabled) return;
    send.disabled = true;
    const details = Object.fromEntries([...event.target.querySelectorAll("input[name]")].map((input) => [input.name, input.value]));
    const wrong = await this.#keep({ ...details, consent: Boolean(consent?.checked) });
    send.disabled = false;
    for (const input of event.target.querySelectorAll("input")) input.removeAttribute("aria-invalid");
    problem.textContent = wrong?.message ?? "";
    show(problem, Boolean(wrong));
    const field = wrong?.parameter && byId(`pre-chat-${wrong.parameter}`);
    if (!field) return;
    field.setAttribute("aria-invalid", "true");
    field.focus();
  }
}
