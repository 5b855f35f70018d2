/* What every page of the desk shares: theme button, menus, and what to do when a partial cannot be fetched. */

function toggleTheme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  try {
    localStorage.setItem("glassdesk:theme", root.dataset.theme);
  } catch {
    /* Holds for this page only. */
  }
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (menu !== except) menu.open = false;
  }
}

/** Show one sentence at the bottom of the page until it is dismissed or the next request succeeds. */
export function showTrouble(text) {
  const box = document.getElementById("trouble");
  box.querySelector(".trouble-text").textContent = text;
  box.hidden = false;
}

export function hideTrouble() {
  document.getElementById("trouble").hidden = true;
}

for (const button of document.querySelectorAll("[data-theme-toggle]")) {
  button.hidden = false;
  button.addEventListener("click", toggleTheme);
}

document.addEventListener("click", (event) => closeMenus(event.target.closest("details[data-menu]")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.activeElement?.closest("details[data-menu][open]");
  closeMenus(null);
  menu?.querySelector("summary").focus();
});

// On a phone the main menu scrolls: the page that is open has to be in sight.
const here = document.querySelector(".nav-link[aria-current]");
if (here) here.parentElement.scrollLeft = here.offsetLeft + here.offsetWidth / 2 - here.parentElement.clientWidth / 2;

// A form that makes something: a second click while it is under way must not make a second one.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.once === "sent") event.preventDefault();
    form.dataset.once = "sent";
  });
}
// A page that comes back from the browser's cache is as new.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-once]")) form.dataset.once = "";
});

document.querySelector("#trouble button")?.addEventListener("click", hideTrouble);
document.addEventListener("htmx:sendError", () => showTrouble(document.getElementById("trouble").dataset.failed));
document.addEventListener("htmx:responseError", () => showTrouble(document.getElementById("trouble").dataset.refused));
document.addEventListener("htmx:beforeSwap", (event) => {
  // A request that was sent elsewhere met a sign-in page: the whole page has to go there.
  const { xhr, pathInfo } = event.detail;
  if (!xhr.responseURL || new URL(xhr.responseURL).pathname === new URL(pathInfo.requestPath, location.href).pathname) return;
  event.detail.shouldSwap = false;
  location.reload();
});
document.addEventListener("htmx:afterOnLoad", (event) => {
  if (event.detail.successful) hideTrouble();
});
