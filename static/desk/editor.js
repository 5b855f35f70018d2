/* The article editor: what was typed is kept on this device until the server has it, Ctrl/Cmd+S saves. */

const form = document.getElementById("editor");
const body = form.querySelector("textarea");
const basedOn = form.elements.based_on.value;
const key = `glassdesk:article:${location.pathname}`;
const kept = ["title", "category", "body"];
let isDirty = false;

const read = () => {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
};

const write = (value) => {
  try {
    if (value) localStorage.setItem(key, JSON.stringify(value));
    else localStorage.removeItem(key);
  } catch {
    /* Storage is full or forbidden: the page itself warns before it is left. */
  }
};

/** A text that was typed but never arrived (signed out meanwhile, browser closed) comes back; one on an older version does not. */
function restore() {
  const draft = read();
  if (!draft) return;
  const isSame = kept.every((name) => form.elements[name].value === draft[name]);
  if (isSame || draft.basedOn !== basedOn || document.getElementById("conflict")) return isSame && write(null);
  for (const name of kept) form.elements[name].value = draft[name];
  isDirty = true;
  document.getElementById("restored").hidden = false;
  refreshPreview();
}

/** htmx listens from the time it has seen the page, which may be after this script. */
function refreshPreview() {
  const tell = () => body.dispatchEvent(new Event("input", { bubbles: true }));
  if (document.readyState === "complete") tell();
  else addEventListener("load", tell, { once: true });
}

form.addEventListener("input", () => {
  isDirty = true;
  write({ basedOn, ...Object.fromEntries(kept.map((name) => [name, form.elements[name].value])) });
});
document.getElementById("discard").addEventListener("click", () => {
  write(null);
  isDirty = false;
  location.reload();
});
form.addEventListener("submit", () => (isDirty = false));
form.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit(document.getElementById("save"));
});
window.addEventListener("beforeunload", (event) => {
  if (isDirty) event.preventDefault();
});
restore();
document.getElementById("errors")?.focus();
