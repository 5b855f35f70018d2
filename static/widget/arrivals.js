/* Says what is new: to screen readers, and to the page around the chat. */

import { presenceWords } from "./chrome_view.js";
import { say } from "./strings.js";

/** Whether the customer is asked now how the conversation went. */
const asks = ({ conversation }) => conversation?.status === "closed" && Boolean(conversation.survey?.is_open) && conversation.survey.score === null;

/** Compares two states. `isKnown`: the transcript was shown before, so that what is in it now has just come. */
export function tellArrivals({ state, before, isKnown, names, announcer, host }) {
  if (!isKnown) return;
  const known = new Set(before.messages.map((message) => message.id));
  const arrived = state.messages.filter((message) => !known.has(message.id));
  for (const message of arrived) announcer.message(message, names);
  for (const message of arrived) if (message.author === "ai" || message.author === "person") host.arrived(message);
  const words = presenceWords(state, names.assistant);
  if (words !== presenceWords(before, names.assistant)) announcer.announce(words);
  if (asks(state) && !asks(before)) announcer.announce(say("survey.question"));
}
