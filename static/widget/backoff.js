/* When to connect again, and how. Pure, so that it can be tested without a network. */

const SECONDS = [0.5, 1, 2, 4, 8];
const JITTER = 0.25;

/** Milliseconds to wait before attempt number `attempt` (0 is the first one after a loss). */
export function delay(attempt, random = Math.random) {
  const seconds = SECONDS[Math.min(Math.max(attempt, 0), SECONDS.length - 1)];
  return Math.round(1000 * seconds * (1 - JITTER + 2 * JITTER * random()));
}

/** What a close code of the socket asks for: "again", "session" (new token), "ticket" (new ticket), "slow" (wait longest) or
 * "unavailable" (give up). */
export function afterClose(code) {
  if (code === 4403 || code === 4404) return "unavailable";
  if (code === 4401) return "session";
  if (code === 4428) return "ticket";
  if (code === 4429) return "slow";
  return "again";
}

/** The same for the answer to a session request; null means that it went well. Only a new page has a new ticket: "reload". */
export function afterSession(status) {
  if (status >= 200 && status < 300) return null;
  if (status === 403 || status === 404 || status === 410) return "unavailable";
  if (status === 401) return "session";
  if (status === 428) return "reload";
  if (status === 429) return "slow";
  return "again";
}

/** Milliseconds for an outcome of the two functions above; `random` is there for the tests. */
export function waitFor(outcome, attempt, random = Math.random) {
  if (outcome === "slow") return delay(SECONDS.length, random);
  if ((outcome === "session" || outcome === "ticket") && attempt === 0) return 0;
  return delay(attempt, random);
}
