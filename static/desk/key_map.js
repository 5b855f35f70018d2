/* Which single key does what. People may choose others, on this device; a key that two would have changes places. */

const STORED = "glassdesk:key-map";
const USUAL = { next: "j", previous: "k", open: "o", select: "x", take: "a", resolve: "e", snooze: "z", label: "l", macro: "m", search: "/", sheet: "?" };

const buttons = () => [...document.querySelectorAll("[data-key-for]")];
let chosen = read();

function read() {
  try {
    const stored = JSON.parse(localStorage.getItem(STORED)) ?? {};
    return Object.fromEntries(Object.entries(stored).filter(([action, key]) => action in USUAL && isKey(key)));
  } catch {
    return {};
  }
}

const isKey = (key) => typeof key === "string" && [...key].length === 1 && key.trim() !== "";
const keyOf = (action) => chosen[action] ?? USUAL[action];

/** What the key does; nothing for one that has no meaning. */
export function actionOf(key) {
  return Object.keys(USUAL).find((action) => keyOf(action) === key);
}

function keep(map) {
  chosen = map;
  try {
    localStorage.setItem(STORED, JSON.stringify(map));
  } catch {
    /* Holds for this page only. */
  }
  draw();
}

function draw() {
  for (const button of buttons()) button.textContent = keyOf(button.dataset.keyFor);
}

function assign(action, key) {
  const other = actionOf(key);
  keep({ ...chosen, ...(other ? { [other]: keyOf(action) } : {}), [action]: key });
}

/** The next key that is pressed on the button is its own; Escape and leaving it change nothing. */
function listen(button) {
  button.textContent = "…";
  const done = new AbortController();
  const end = () => {
    done.abort();
    draw();
  };
  button.addEventListener("blur", end, { signal: done.signal });
  button.addEventListener(
    "keydown",
    (event) => {
      if (event.key === "Tab" || event.key === "Shift") return;
      event.preventDefault();
      event.stopPropagation();
      if (isKey(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey) assign(button.dataset.keyFor, event.key);
      end();
    },
    { signal: done.signal },
  );
}

for (const button of buttons()) button.addEventListener("click", () => listen(button));
document.getElementById("keys-reset")?.addEventListener("click", () => keep({}));
draw();
