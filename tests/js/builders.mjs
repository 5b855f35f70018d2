/* Frames and states without surprises. */

import { initial, receive } from "/static/widget/state.js";

export const message = (position, fields = {}) => ({
  id: `m${position}`,
  position,
  author: "customer",
  name: "",
  body: `text ${position}`,
  language: "en",
  created_at: "2025-03-01T10:00:00Z",
  client_id: null,
  outcome: "",
  kind: "",
  sources: [],
  confidence_band: "",
  seconds: null,
  reply: null,
  feedback: null,
  ...fields,
});

export const conversation = (fields = {}) => ({
  id: "c1",
  status: "ai",
  language: "en",
  assignee: null,
  waiting_position: null,
  wait_minutes: null,
  back_at: null,
  ...fields,
});

export const ready = (fields = {}) => ({ type: "ready", conversation: conversation(), messages: [], replies: [], cursor: "10-0", ...fields });
export const delta = (sequence, text, attempt = 1) => ({ type: "delta", id: `${20 + sequence}-0`, reply: "r1", attempt, sequence, text });
export const begun = (attempt = 1) => ({ type: "reply", id: "20-0", reply: "r1", attempt });
export const done = (fields = {}) => ({
  type: "done",
  id: "90-0",
  reply: "r1",
  attempt: 1,
  message: message(2, { author: "ai", body: "final", reply: "r1", outcome: "answered", ...fields }),
});

/** The state after these frames, starting from nothing. */
export const after = (...frames) => frames.reduce(receive, initial);
