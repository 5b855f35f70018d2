/* The answer's tokens: pointing, tapping or the arrow keys show what else the model weighed at that place. */

const answer = document.getElementById("tokens");
const chart = document.getElementById("chart");
const inspector = document.getElementById("inspector");
const template = document.getElementById("inspector-template");

const tokens = answer ? [...answer.querySelectorAll("[data-token]")] : [];
const columns = chart ? [...chart.querySelectorAll("[data-token]")] : [];
const hint = inspector?.firstElementChild;
let pinned = null;

/** The token's row of the table holds everything, printed and translated by the server. */
function describe(token) {
  const cells = document.getElementById(`token-${token.dataset.token}`).children;
  const view = template.content.cloneNode(true);
  const part = (name) => view.querySelector(`[data-part="${name}"]`);
  part("number").textContent = cells[0].textContent;
  part("token").textContent = cells[1].querySelector("code").textContent;
  part("probability").textContent = cells[2].textContent;
  part("rank").textContent = cells[3].textContent;
  part("weights").append(cells[4].firstElementChild.cloneNode(true));
  return view;
}

function show(token) {
  for (const [index, other] of tokens.entries()) {
    other.setAttribute("aria-pressed", String(other === token));
    columns[index].classList.toggle("column-selected", other === token);
  }
  inspector.replaceChildren(token ? describe(token) : hint);
}

/** One tab stop for the whole answer: the token that was last in focus. */
function moveFocus(token) {
  for (const other of tokens) other.tabIndex = other === token ? 0 : -1;
  token.focus();
}

function pin(token) {
  pinned = pinned === token ? null : token;
  show(pinned ?? token);
}

function step(event) {
  const at = tokens.indexOf(event.target);
  const places = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: tokens.length - 1 };
  if (event.key in places) {
    event.preventDefault();
    moveFocus(tokens[Math.min(Math.max(places[event.key], 0), tokens.length - 1)]);
  } else if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    pin(event.target);
  } else if (event.key === "Escape") {
    pinned = null;
    show(null);
  }
}

if (tokens.length) {
  const tokenOf = (element) => tokens[Number(element?.dataset?.token) - 1];
  for (const place of [answer, chart]) {
    place.addEventListener("pointerover", (event) => {
      const token = tokenOf(event.target);
      if (token && !pinned) show(token);
    });
    place.addEventListener("click", (event) => {
      const token = tokenOf(event.target);
      if (!token) return;
      moveFocus(token);
      pin(token);
    });
  }
  answer.addEventListener("focusin", (event) => {
    const token = tokenOf(event.target);
    if (token && token !== pinned) {
      pinned = null;
      show(token);
    }
  });
  answer.addEventListener("keydown", (event) => {
    if (tokenOf(event.target)) step(event);
  });
}

/* Paper has no folds. */
const folded = new Set();
addEventListener("beforeprint", () => {
  for (const more of document.querySelectorAll("details.more:not([open])")) {
    folded.add(more);
    more.open = true;
  }
});
addEventListener("afterprint", () => {
  for (const more of folded) more.open = false;
  folded.clear();
});
