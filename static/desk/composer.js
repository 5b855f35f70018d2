/* The reply box: the draft is kept until it is sent, Ctrl/Cmd+Enter sends, the box grows with its text.
 *
 * `seen` is the last message that the writer knew when they began: the server refuses once what somebody has answered since. */

import { keepDraft } from "./drafts.js";
import { offerIn } from "./offers.js";
import { lastPosition } from "./positions.js";
import { watchWriting } from "./writing.js";

const form = document.getElementById("composer");

if (form) {
  const box = form.querySelector("textarea");
  const problem = document.getElementById("composer-problem");
  let composing = false;
  let sending = false;
  let wasEmpty = true;

  const grow = () => {
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight + 2, window.innerHeight * 0.4)}px`;
  };

  const catchUp = () => (form.elements.seen.value = lastPosition());

  box.addEventListener("input", () => {
    if (wasEmpty) catchUp();
    wasEmpty = !box.value.trim();
    grow();
  });
  box.addEventListener("compositionstart", () => (composing = true));
  box.addEventListener("compositionend", () => (composing = false));
  box.addEventListener("keydown", (event) => {
    // 229: the key belongs to an input method, also where isComposing is not set (Safari).
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || composing || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    if (box.value.trim() && !form.querySelector("button").disabled) form.requestSubmit();
  });

  form.addEventListener("htmx:beforeRequest", () => {
    sending = true;
    // A warning that was read; what the server says comes after it.
    problem.textContent = "";
  });
  form.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt !== form) return;
    sending = false;
    catchUp();
    if (event.detail.xhr.status !== 204) return;
    box.value = "";
    wasEmpty = true;
    forget();
    grow();
    box.focus();
  });

  // Somebody answers while this person writes: they are told at once, and their next sending counts as knowing it.
  document.addEventListener("desk:landed", (event) => {
    if (sending || !box.value.trim()) return;
    const warning = document.createElement("p");
    warning.className = "composer-error composer-warning";
    warning.setAttribute("role", "alert");
    warning.textContent = form.dataset.landed.replace("%s", event.detail.name);
    problem.replaceChildren(warning);
    catchUp();
  });

  // A suggested text goes where the cursor can change it; what was typed stays.
  document.addEventListener("click", (event) => {
    const text = event.target.closest("[data-insert]")?.dataset.insert;
    if (text === undefined) return;
    box.value = box.value.trim() ? `${box.value.trimEnd()}\n\n${text}` : text;
    box.dispatchEvent(new Event("input"));
    box.focus();
  });

  const noteForm = document.getElementById("note-form");
  if (noteForm) {
    offerIn(noteForm.querySelector("textarea"), { sign: "@", address: noteForm.dataset.people, insertion: ({ name }) => `${name} ` });
  }
  noteForm?.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt !== noteForm || event.detail.xhr.status !== 204) return;
    noteForm.reset();
    document.getElementById("note-problem").textContent = "";
  });

  const forget = keepDraft(form, box);
  wasEmpty = !box.value.trim();
  grow();
  watchWriting(form, box);
  offerIn(box, { sign: "/", address: form.dataset.canned, insertion: ({ text }) => text });
}
