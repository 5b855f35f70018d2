/* Rating an answer, or the whole conversation: what could not be stored is taken back and said. */

import { rated, surveyed } from "./local_state.js";
import { putFeedback, putRating } from "./session.js";
import { say } from "./strings.js";

/** `announce(text)` speaks to screen readers. */
export function createRating({ store, connection, urls, announce, refocus }) {
  async function keep(message, feedback, asking) {
    const before = store.state.messages.find((entry) => entry.id === message.id)?.feedback ?? null;
    store.change(rated, message.id, feedback, asking ? message.id : null);
    try {
      await putFeedback(urls.feedback(message.id), connection.token, feedback);
      return true;
    } catch {
      store.change(rated, message.id, before);
      store.change((state) => ({ ...state, notice: { message: say("feedback.failed") } }));
      return false;
    }
  }

  async function rate(message, rating) {
    const given = message.feedback;
    const asks = rating === "down" && store.state.asking !== message.id;
    const kept = given?.rating === rating ? given : { rating, reason: "", comment: "" };
    const isStored = await keep(message, kept, asks);
    if (isStored) announce(say(asks ? "feedback.why" : "feedback.thanks"));
  }

  function because(message, reason) {
    keep(message, { rating: "down", reason, comment: message.feedback?.comment ?? "" }, true);
  }

  async function explain(message, comment) {
    const isStored = await keep(message, { rating: "down", reason: message.feedback?.reason ?? "", comment }, false);
    if (!isStored) return;
    announce(say("feedback.thanks"));
    refocus();
  }

  /** How a whole conversation went; `given` is null when the customer would rather not say. Returns its survey from now on, or null
   * when that was not kept. */
  async function rateConversation(id, given, before) {
    try {
      const kept = (await putRating(urls.rating(id), connection.token, given ?? { score: null })) ?? { ...before, is_open: false };
      store.change(surveyed, id, kept);
      announce(say(given ? "survey.thanks" : "survey.declined"));
      return kept;
    } catch {
      return null;
    }
  }

  return { rate, because, explain, rateConversation };
}
