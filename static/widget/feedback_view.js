/* Whether an answer helped: two thumbs below it and, after the second one, the reasons. */

import { button, h, icon } from "./dom.js";
import { personButton } from "./message_view.js";
import { say } from "./strings.js";

const REASONS = ["wrong", "outdated", "not_my_question", "unclear", "other"];
const COMMENT_CHARACTERS = 500;

// What is being typed outlives the building anew of its answer.
const drafts = new Map();

/** `asking`: whether the reasons are open. */
export function feedbackView(message, { asking, withPerson, isOpen, actions }) {
  const given = message.feedback;
  return [
    h(
      "div.feedback",
      { role: "group", "aria-label": say("feedback.question") },
      thumb(message, "up", actions),
      thumb(message, "down", actions),
      given && !asking ? h("span.feedback-note", {}, icon("check"), say("feedback.thanks")) : null,
      given?.rating === "up" && isOpen ? button("pill", say("solvedShort"), actions.solved) : null,
    ),
    asking ? reasons(message, { withPerson, actions }) : null,
  ].filter(Boolean);
}

function thumb(message, rating, actions) {
  const made = button("thumb", say(`feedback.${rating}`), () => actions.rate(message, rating), icon(rating === "up" ? "thumbUp" : "thumbDown"));
  made.setAttribute("aria-pressed", String(message.feedback?.rating === rating));
  made.title = say(`feedback.${rating}`);
  made.dataset.testid = `thumb-${rating}`;
  return made;
}

function reasons(message, { withPerson, actions }) {
  const chosen = message.feedback?.reason ?? "";
  const choices = REASONS.map((reason) => {
    const choice = button("pill", say(`feedback.reasons.${reason}`), () => actions.because(message, reason));
    choice.setAttribute("aria-pressed", String(reason === chosen));
    return choice;
  });
  return h(
    "div.feedback-reasons",
    { role: "group", "aria-label": say("feedback.why") },
    h("p.aside-title", { "aria-hidden": "true" }, say("feedback.why")),
    h("div.row", {}, choices),
    comment(message),
    h(
      "div.row",
      {},
      button("pill.pill-act", say("feedback.send"), () => actions.explain(message, take(message))),
      withPerson ? null : personButton(actions),
    ),
  );
}

function comment(message) {
  const field = h("textarea.feedback-comment", {
    rows: 2,
    dir: "auto",
    maxlength: COMMENT_CHARACTERS,
    "aria-label": say("feedback.comment"),
    placeholder: say("feedback.comment"),
    oninput: () => drafts.set(message.id, field.value),
  });
  field.value = drafts.get(message.id) ?? message.feedback?.comment ?? "";
  return field;
}

function take(message) {
  const text = drafts.get(message.id) ?? message.feedback?.comment ?? "";
  drafts.delete(message.id);
  return text;
}
