/* Words of the widget in the customer's language. */

import en from "./strings_en.js";
import zh from "./strings_zh.js";

const TABLES = { en, zh };
let table = en;
let code = "en";

/** "zh" for every kind of Chinese, "en" for everything else. */
export function languageOf(tag) {
  return String(tag ?? "").toLowerCase().startsWith("zh") ? "zh" : "en";
}

/** Switches the words; returns the code that is now in use. */
export function speak(tag) {
  code = languageOf(tag);
  table = TABLES[code];
  return code;
}

export const language = () => code;

/** The text named by a key ("bands.high" looks inside), with its `{placeholders}` filled. An unknown key shows itself. */
export function say(key, values = {}) {
  const found = key.split(".").reduce((value, part) => value?.[part], table);
  if (found === undefined) return key;
  const text = Array.isArray(found) ? found[values.count === 1 ? 0 : 1] : found;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (values[name] === undefined ? whole : String(values[name])));
}

const LOCALES = { en: "en-GB", zh: "zh-CN" };
const format = (value, options) => new Intl.DateTimeFormat(LOCALES[code], options).format(new Date(value));

export const time = (value) => format(value, { hour: "2-digit", minute: "2-digit" });
export const date = (value) => format(value, { year: "numeric", month: "short", day: "numeric" });
export const fullDate = (value) => format(value, { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });

/** How long ago within a day, else the date; the desk says it in the same words. */
export function ago(value, now = new Date()) {
  const minutes = Math.max(0, Math.floor((now - new Date(value)) / 60_000));
  if (minutes < 1) return say("justNow");
  if (minutes < 60) return say("minutesAgo", { count: minutes });
  return minutes < 24 * 60 ? say("hoursAgo", { count: Math.floor(minutes / 60) }) : date(value);
}

/** A moment to come, as people say it: "today at 14:00", "Monday at 09:00". */
export function until(value, now = new Date()) {
  const then = new Date(value);
  const days = Math.round((new Date(then).setHours(0, 0, 0, 0) - new Date(now).setHours(0, 0, 0, 0)) / 86_400_000);
  const values = { time: time(value), weekday: format(value, { weekday: "long" }), date: format(value, { month: "short", day: "numeric" }) };
  return say(`until.${["today", "tomorrow"][days] ?? (days < 7 ? "weekday" : "date")}`, values);
}

/** "Today", "Yesterday" or the date. */
export function day(value, now = new Date()) {
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  const then = new Date(value).toDateString();
  if (then === now.toDateString()) return say("today");
  return then === yesterday.toDateString() ? say("yesterday") : date(value);
}

/** Seconds as people say them: one decimal below ten. */
export function seconds(value) {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}
