/* The palette: type a few letters of a command, choose with the arrows, Enter runs it. */

const dialog = document.getElementById("palette");
const input = document.getElementById("palette-text");
const listbox = document.getElementById("palette-list");
const MOST_SHOWN = 40;

let all = [];
let shown = [];
let chosen = 0;

const matches = (words, wanted) => wanted.split(/\s+/).every((part) => words.toLowerCase().includes(part));

function draw() {
  const wanted = input.value.trim().toLowerCase();
  shown = all.filter((command) => matches(command.words, wanted)).slice(0, MOST_SHOWN);
  chosen = 0;
  const items = shown.map((command, index) => {
    const item = document.createElement("li");
    item.id = `command-${index}`;
    item.setAttribute("role", "option");
    item.textContent = command.words;
    item.addEventListener("click", () => run(index));
    return item;
  });
  if (!items.length) {
    const none = document.createElement("li");
    none.setAttribute("role", "option");
    none.setAttribute("aria-disabled", "true");
    none.textContent = listbox.dataset.none;
    items.push(none);
  }
  listbox.replaceChildren(...items);
  choose(0);
}

function choose(index) {
  chosen = shown.length ? (index + shown.length) % shown.length : 0;
  for (const [at, item] of [...listbox.children].entries()) item.setAttribute("aria-selected", String(shown.length > 0 && at === chosen));
  if (shown.length) {
    input.setAttribute("aria-activedescendant", `command-${chosen}`);
    listbox.children[chosen].scrollIntoView({ block: "nearest" });
  } else input.removeAttribute("aria-activedescendant");
}

function run(index) {
  const command = shown[index];
  if (!command) return;
  dialog.close();
  command.run();
}

input.addEventListener("input", draw);
input.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229) return;
  if (event.key === "ArrowDown") choose(chosen + 1);
  else if (event.key === "ArrowUp") choose(chosen - 1);
  else if (event.key === "Enter") run(chosen);
  else return;
  event.preventDefault();
});
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());

/** Show these commands, each `words` and what `run` does. */
export function openPalette(commands) {
  all = commands;
  input.value = "";
  draw();
  dialog.showModal();
}
