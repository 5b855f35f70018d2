/* The reply box: the draft stays on this device until it is sent, Ctrl/Cmd+Enter sends, the box grows with its text. */

const form = document.getElementById("composer");

if (form) {
  const box = form.querySelector("textarea");
  const key = `glassdesk:draft:${form.dataset.draft}`;
  let composing = false;

  const grow = () => {
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight + 2, window.innerHeight * 0.4)}px`;
  };

  const keep = () => {
    try {
      if (box.value.trim()) localStorage.setItem(key, box.value);
      else localStorage.removeItem(key);
    } catch {
      /* Storage is full or forbidden: the text lives as long as the page. */
    }
  };

  const restore = () => {
    try {
      if (!box.value) box.value = localStorage.getItem(key) ?? "";
    } catch {
      /* As above. */
    }
  };

  box.addEventListener("input", () => {
    keep();
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

  form.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt !== form || event.detail.xhr.status !== 204) return;
    box.value = "";
    keep();
    grow();
    document.getElementById("composer-problem").textContent = "";
    box.focus();
  });

  restore();
  grow();
}
