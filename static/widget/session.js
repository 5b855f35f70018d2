/* The HTTP requests of the widget: its session, the passage behind a source, and what the customer thinks of an answer. */

import { say } from "./strings.js";

/** Where this company's widget lives on this server, also below a path prefix. */
export function addresses(tenant, location = window.location) {
  const prefix = location.pathname.split("/widget/")[0];
  const slug = encodeURIComponent(tenant);
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return {
    session: `${prefix}/widget/${slug}/session`,
    passage: (chunk) => `${prefix}/widget/${slug}/passages/${encodeURIComponent(chunk)}`,
    feedback: (message) => `${prefix}/widget/${slug}/messages/${encodeURIComponent(message)}/feedback`,
    details: (language) => `${prefix}/widget/${slug}/details?language=${language}`,
    conversations: (after) => `${prefix}/widget/${slug}/conversations${after ? `?after=${encodeURIComponent(after)}` : ""}`,
    conversation: (conversation) => `${prefix}/widget/${slug}/conversations/${encodeURIComponent(conversation)}`,
    transcript: (conversation, language) => `${prefix}/widget/${slug}/conversations/${encodeURIComponent(conversation)}/transcript?language=${language}`,
    rating: (conversation) => `${prefix}/widget/${slug}/conversations/${encodeURIComponent(conversation)}/rating`,
    socket: `${scheme}//${location.host}${prefix}/ws/widget/${slug}/`,
  };
}

/** What the link of a mail says, taken out of the address so that it is not passed on with it; null without one. */
export function takeResume(location = window.location) {
  const token = /^#resume=([\w~.-]+)$/.exec(location.hash)?.[1] ?? null;
  if (token) window.history.replaceState(null, "", location.pathname + location.search);
  return token;
}

/** Asks for a visitor session. Returns `{status, session, error}`; status 0 means that the server was not reached. */
export async function openSession(url, { token, ticket, identity, resume, language }) {
  const headers = { Accept: "application/json", "Glassdesk-Ticket": ticket };
  if (token) headers.Authorization = `Bearer ${token}`;
  const given = identity ? { identity } : resume ? { resume } : null;
  if (given) headers["Content-Type"] = "application/json";
  const body = given ? JSON.stringify(given) : undefined;
  try {
    const response = await fetch(`${url}?language=${language}`, { method: "POST", headers, body, credentials: "omit", cache: "no-store" });
    const answer = response.ok || response.status === 422 ? await response.json() : {};
    return { status: response.status, session: response.ok ? answer : null, error: answer.error ?? null };
  } catch {
    return { status: 0, session: null, error: null };
  }
}

/** Loads a passage, or something else that is the visitor's own; throws when it cannot be had. */
export async function fetchOwn(url, token) {
  const response = await fetch(url, {
    headers: { Accept: "application/json", Authorization: `Bearer ${token}` },
    credentials: "omit",
  });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.json();
}

/** Stores what the customer thinks of an answer; throws when it was not kept. */
export const putFeedback = (url, token, feedback) => put(url, token, feedback);

/** Stores how a conversation went, and returns what was stored: nothing for a `score` of null. Throws when it was not kept. */
export const putRating = (url, token, rating) => put(url, token, rating);

/** Has a conversation sent by mail. Returns "", or why not: a sentence, or null when nobody knows. */
export async function postTranscript(url, token, address) {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { Accept: "application/json", "Content-Type": "application/json", Authorization: `Bearer ${token}` },
      body: JSON.stringify({ address }),
      credentials: "omit",
    });
    return response.ok ? "" : ((await response.json()).error?.message ?? null);
  } catch {
    return null;
  }
}

/** Stores what the customer told before the chat. Returns null, or what is wrong: `{message, parameter}`. */
export async function putDetails(url, token, details) {
  const headers = { Accept: "application/json", "Content-Type": "application/json", Authorization: `Bearer ${token}` };
  try {
    const response = await fetch(url, { method: "PUT", headers, body: JSON.stringify(details), credentials: "omit" });
    // Not found: another tab was quicker, or nothing is asked any more.
    return response.ok || response.status === 404 ? null : (await response.json()).error;
  } catch {
    return { message: say("mailing.failed") };
  }
}

async function put(url, token, given) {
  const response = await fetch(url, {
    method: "PUT",
    headers: { Accept: "application/json", "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify(given),
    credentials: "omit",
  });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.status === 204 ? null : response.json();
}
