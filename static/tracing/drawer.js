/* "Why?" opens the report's second depth beside the conversation. Without this script, or in a new tab, the link leads to its page. */

const drawer = document.getElementById("drawer");
const body = document.getElementById("drawer-body");

/** The dialog opens when its content has come; after a request that failed it stays closed, and htmx has shown the trouble. */
function open(link) {
  window.htmx.ajax("GET", link.dataset.drawer, { target: body });
}

function onClick(event) {
  const link = event.target.closest("a[data-drawer]");
  if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || !window.htmx) return;
  event.preventDefault();
  open(link);
}

document.addEventListener("click", onClick);
drawer?.addEventListener("click", (event) => {
  if (event.target === drawer || event.target.closest("[data-close]")) drawer.close();
});
body?.addEventListener("htmx:afterSwap", () => {
  if (!drawer.open) drawer.showModal();
  drawer.scrollTop = 0;
});
drawer?.addEventListener("close", () => body.replaceChildren());
