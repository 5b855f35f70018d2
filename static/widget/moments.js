/* Moments as elements that a program can read, with the full date as their title. */

import { h } from "./dom.js";
import { ago, fullDate, say, time } from "./strings.js";

const moment = (at, words) => h("time", { datetime: at, title: fullDate(at) }, words);

export const timeOfDay = (at) => moment(at, time(at));

export const updated = (at) => moment(at, say("updated", { date: ago(at) }));

/** Texts and elements with a dot between them; what is empty is left out. */
export function dotted(parts) {
  return parts.filter(Boolean).flatMap((part, index) => (index ? [" · ", part] : [part]));
}
