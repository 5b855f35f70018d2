/* The list of the inbox: what is marked survives a refresh, what was done is said, and the page's title counts what needs this person. */

import { showTrouble } from "./desk.js";

const TOAST_SECONDS = 6;
const list = document.getElementById("list");
const bulk = document.getElementById("bulk");
const toast = document.getElementById("toast");
const title = document.title;

let marked = new Set();
let scrolled = 0;
let toastTimer = null;

const checks = () => [...document.querySelectorAll(".row-check")];

function drawTitle() {
  const count = Number(document.getElementById("queues")?.dataset.attention ?? 0);
  document.title = count > 0 ? `(${count}) ${title}` : title;
}

function drawCount() {
  marked = new Set(checks().filter((check) => check.checked).map((check) => check.value));
  const shown = document.getElementById("bulk-count");
  if (shown) shown.textContent = marked.size ? shown.dataset.words.replace("0", String(marked.size)) : "";
}

function clear() {
  for (const check of checks()) check.checked = false;
  for (const added of bulk?.querySelectorAll(":scope > input[name=conversation]") ?? []) added.remove();
  drawCount();
}

/** One sentence for a few seconds; screen readers hear it too. */
function say(text) {
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (toast.hidden = true), TOAST_SECONDS * 1000);
}

function closeMenus() {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) menu.open = false;
}

document.addEventListener("change", (event) => event.target.matches(".row-check") && drawCount());
bulk?.addEventListener("reset", () => setTimeout(clear));
bulk?.addEventListener("submit", closeMenus);

list.addEventListener("htmx:beforeSwap", () => (scrolled = document.getElementById("list-rows")?.scrollTop ?? 0));
list.addEventListener("htmx:afterSwap", () => {
  const rows = document.getElementById("list-rows");
  if (rows) rows.scrollTop = scrolled;
  for (const check of checks()) check.checked = marked.has(check.value);
  drawCount();
  drawTitle();
});

document.body.addEventListener("acted", (event) => {
  closeMenus();
  clear();
  say(event.detail.text);
  window.htmx.trigger(list, "inbox");
});
document.body.addEventListener("refused", (event) => showTrouble(event.detail.text));

document.querySelector(".queue[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
drawCount();
drawTitle();
