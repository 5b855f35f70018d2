/* The inbox by keyboard: single keys where no field has the focus, a sheet that lists them, and a palette of everything. */

import { actionOf } from "./key_map.js";
import { openPalette } from "./palette.js";

const OFF = "glassdesk:keys";
const list = document.getElementById("list");
const bulk = document.getElementById("bulk");
const sheet = document.getElementById("keys");
const isOn = document.getElementById("keys-on");

const rows = () => [...document.querySelectorAll(".row[data-conversation]")];
const focused = () => document.activeElement?.closest(".row-item")?.querySelector(".row");
const isTyping = (element) => Boolean(element?.closest("input:not([type=checkbox]), textarea, select, [contenteditable]"));

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(focused() ?? document.querySelector(".row[aria-current]"));
  const next = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + step))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function mark() {
  const check = focused()?.parentElement.querySelector(".row-check");
  if (check) check.click();
}

/** Something to act on: what is marked, else the row that has the focus, else the open conversation. */
function choose() {
  if (!bulk) return false;
  if (document.querySelector(".row-check:checked")) return true;
  const id = focused()?.dataset.conversation ?? list.dataset.selected;
  if (!id) return false;
  const check = document.getElementById(`check-${id}`);
  if (check) {
    check.click();
  } else {
    const added = document.createElement("input");
    Object.assign(added, { type: "hidden", name: "conversation", value: id });
    bulk.append(added);
  }
  return true;
}

function act(order) {
  // A click, since htmx sends a button's value only when it was clicked.
  if (choose()) bulk.querySelector(`button[value="${order}"]`).click();
}

function openMenu(key) {
  if (!choose()) return;
  const menu = bulk.querySelector(`details[data-key="${key}"]`);
  menu.open = true;
  menu.querySelector(".menu-panel :is(button, a)")?.focus();
}

/** Everything on the page that names itself a command; what acts on conversations only while there is one to act on. */
function commands() {
  const canAct = Boolean(document.querySelector(".row-check:checked") || focused() || list.dataset.selected);
  const named = [...document.querySelectorAll("[data-command]")].filter((each) => {
    if (each.closest(".context-actions")) return false;
    return canAct || !each.closest("#bulk");
  });
  const found = named.map((each) => ({
    words: each.dataset.command.trim(),
    run: () => (each.closest("#bulk") ? choose() : true) && each.click(),
  }));
  for (const link of document.querySelectorAll(".nav-link")) found.push({ words: link.textContent.trim(), run: () => link.click() });
  return found;
}

function search() {
  const field = document.getElementById("search");
  field.focus();
  field.select();
}

const ACTIONS = {
  next: () => move(1),
  previous: () => move(-1),
  open: () => focused()?.click(),
  select: mark,
  take: () => act("take"),
  resolve: () => act("resolve"),
  snooze: () => openMenu("snooze"),
  label: () => openMenu("label"),
  macro: () => openMenu("macro"),
  search,
  sheet: () => sheet.showModal(),
};

document.addEventListener("keydown", (event) => {
  // 229: the key belongs to an input method, also where isComposing is not set (Safari).
  if (event.defaultPrevented || event.isComposing || event.keyCode === 229 || document.querySelector("dialog[open]")) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette(commands());
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(document.activeElement) || !isOn.checked) return;
  const run = ACTIONS[actionOf(event.key)];
  if (!run) return;
  event.preventDefault();
  run();
});

isOn.addEventListener("change", () => {
  try {
    localStorage.setItem(OFF, isOn.checked ? "on" : "off");
  } catch {
    /* Holds for this page only. */
  }
});
try {
  isOn.checked = localStorage.getItem(OFF) !== "off";
} catch {
  /* Storage is forbidden: they are on. */
}
