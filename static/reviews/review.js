/* Reviewing by keyboard: single keys where no field has the focus. Without this script everything is a form. */

const OFF = "glassdesk:keys";
const form = document.getElementById("review");
const sheet = document.getElementById("keys");
const isOn = document.getElementById("keys-on");
const correction = document.getElementById("correction");
const note = document.getElementById("note");

const radio = (name, value) => form?.querySelector(`input[name=${name}][value=${value}]`);
const isTyping = (element) => Boolean(element?.closest("textarea, select, input:not([type=radio], [type=checkbox])"));

function choose(input) {
  if (!input) return;
  input.checked = true;
  input.focus();
}

function good() {
  choose(radio("verdict", "good"));
  form?.requestSubmit();
}

function wrong() {
  choose(radio("verdict", "wrong"));
  form?.querySelector(".causes")?.scrollIntoView({ block: "nearest" });
}

function because(number) {
  const cause = form?.querySelector(`input[name=cause][data-number="${number}"]`);
  if (!cause) return;
  wrong();
  choose(cause);
}

function write(field) {
  if (field === correction) wrong();
  field?.focus();
}

/** The AI's answer as the beginning of the correction; what was typed already is never replaced. */
function copyAnswer() {
  if (!correction) return;
  write(correction);
  if (correction.value.trim()) return;
  correction.value = document.getElementById("ai-answer").innerText.trim();
  correction.setSelectionRange(0, 0);
}

const KEYS = {
  g: good,
  w: wrong,
  c: () => write(correction),
  n: () => write(note),
  e: copyAnswer,
  s: () => document.getElementById("skip-button")?.click(),
  u: () => document.getElementById("undo")?.click(),
  d: () => document.getElementById("why")?.click(),
  "?": () => sheet.showModal(),
};

function onKey(event) {
  // 229: the key belongs to an input method, also where isComposing is not set (Safari).
  if (event.defaultPrevented || event.isComposing || event.keyCode === 229 || document.querySelector("dialog[open]")) return;
  const isCommand = event.ctrlKey || event.metaKey;
  if (event.key === "Enter" && isCommand && form?.contains(document.activeElement)) {
    event.preventDefault();
    form.requestSubmit();
    return;
  }
  if (event.key === "Escape" && isTyping(document.activeElement)) {
    document.activeElement.blur();
    return;
  }
  if (isCommand || event.altKey || isTyping(document.activeElement) || !isOn.checked) return;
  if (event.key === "Enter") {
    // On a link or a button Enter is theirs.
    if (!form || document.activeElement?.closest("a, button, summary")) return;
    event.preventDefault();
    form.requestSubmit();
    return;
  }
  const run = /^[1-7]$/.test(event.key) ? () => because(event.key) : KEYS[event.key];
  if (!run) return;
  event.preventDefault();
  run();
}

document.addEventListener("keydown", onKey);
document.getElementById("help")?.addEventListener("click", () => sheet.showModal());
document.getElementById("copy-answer")?.addEventListener("click", copyAnswer);
sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());

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
