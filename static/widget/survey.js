/* How the conversation went: five faces after its end, asked once. What was said can be changed for a while. */

import { button, h, icon, show } from "./dom.js";
import { say } from "./strings.js";

const SCORES = [1, 2, 3, 4, 5];
const COMMENT_CHARACTERS = 500;
let count = 0;

export class SurveyCard {
  element = h("section.survey", { hidden: true });
  #keep;
  #id = null;
  #shown = "";
  #survey = null;
  #words = "";
  #isChanging = false;
  #isSending = false;
  #draft = { score: null, comment: "" };

  /** `keep(conversation, given, survey)` stores what is `given`, `{score, comment}` or null for "rather not", and returns the survey from
   * then on, or null when that failed. */
  constructor(keep) {
    this.#keep = keep;
  }

  /** Shows what there is to say about the conversation; `words` change with the language. */
  update(conversation, words) {
    const survey = conversation?.status === "closed" ? conversation.survey : null;
    if (conversation?.id !== this.#id) [this.#id, this.#isChanging, this.#draft] = [conversation?.id ?? null, false, { score: null, comment: "" }];
    this.#survey = survey;
    this.#isChanging &&= Boolean(survey?.is_open);
    show(this.element, Boolean(survey) && (survey.is_open || survey.score !== null));
    this.#words = words;
    const shown = JSON.stringify([this.#id, survey, this.#isChanging, words]);
    if (this.element.hidden || shown === this.#shown) return;
    this.#shown = shown;
    const asks = survey.score === null || this.#isChanging;
    const hadFocus = this.element.contains(document.activeElement);
    this.element.replaceChildren(...(asks ? this.#question() : this.#thanks()));
    if (hadFocus) this.element.querySelector("input:checked, input, button, p")?.focus();
  }

  #thanks() {
    const { score, is_open } = this.#survey;
    return [
      h("p.survey-thanks", { tabindex: "-1" }, icon(`face${score}`), h("span", {}, say("survey.rated", { rating: say(`survey.scores.${score}`) }))),
      is_open ? button("link", say("survey.change"), () => this.#change()) : null,
    ].filter(Boolean);
  }

  #change() {
    this.#draft = { score: this.#survey.score, comment: this.#survey.comment };
    this.#isChanging = true;
    this.update({ id: this.#id, status: "closed", survey: this.#survey }, this.#words);
  }

  #question() {
    const name = `survey-${(count += 1)}`;
    const problem = h("p.survey-problem", { role: "alert", hidden: true });
    const form = h(
      "form.survey-form",
      { novalidate: true, onsubmit: (event) => this.#submit(event, problem) },
      h("fieldset.survey-faces", {}, h("legend", {}, say("survey.question")), ...SCORES.map((score) => this.#face(name, score))),
      this.#comment(),
      problem,
      h(
        "div.row",
        {},
        h("button.pill.pill-act", { type: "submit" }, say("survey.send")),
        this.#survey.score === null ? button("pill", say("survey.decline"), () => this.#send(null, problem)) : null,
      ),
    );
    return [form];
  }

  #face(name, score) {
    const input = h("input", { type: "radio", name, value: score, onchange: () => this.#choose(score) });
    input.checked = this.#draft.score === score;
    return h("label.survey-face", {}, input, icon(`face${score}`), h("span", {}, say(`survey.scores.${score}`)));
  }

  #choose(score) {
    this.#draft.score = score;
    show(this.element.querySelector(".survey-problem"), false);
  }

  #comment() {
    const field = h("textarea.feedback-comment", {
      rows: 2,
      dir: "auto",
      maxlength: COMMENT_CHARACTERS,
      "aria-label": say("survey.comment"),
      placeholder: say("survey.comment"),
      oninput: () => (this.#draft.comment = field.value),
    });
    field.value = this.#draft.comment;
    return field;
  }

  async #submit(event, problem) {
    event.preventDefault();
    const { score, comment } = this.#draft;
    problem.textContent = score === null ? say("survey.choose") : "";
    show(problem, score === null);
    if (score === null) {
      this.element.querySelector("input").focus();
      return;
    }
    await this.#send({ score, comment }, problem);
  }

  async #send(given, problem) {
    if (this.#isSending) return;
    this.#isSending = true;
    const kept = await this.#keep(this.#id, given, this.#survey);
    this.#isSending = false;
    problem.textContent = kept ? "" : say("survey.failed");
    show(problem, !kept);
    if (!kept) return;
    this.#isChanging = false;
    this.update({ id: this.#id, status: "closed", survey: kept }, this.#words);
  }
}
