/* What somebody has typed and not sent: kept by the server for all their devices, and on this one until the server has it. */

import { lastPosition } from "./positions.js";

const PAUSE = 1_000;

/** Keep what stands in `box`; `form` names the server's address in `data-draft-at`. Returns what to call once it was sent. */
export function keepDraft(form, box) {
  const key = `glassdesk:draft:${form.dataset.draft}`;
  let timer = null;
  let request = null;

  const onDevice = (change) => {
    try {
      return change(localStorage);
    } catch {
      /* Storage is full or forbidden: the server keeps it, or the page as long as it lives. */
      return null;
    }
  };

  async function save() {
    request?.abort();
    request = new AbortController();
    const text = box.value;
    const body = new URLSearchParams({ csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value, body: text, seen: lastPosition() });
    try {
      const response = await fetch(form.dataset.draftAt, { method: "POST", body, signal: request.signal, keepalive: text.length < 10_000 });
      if (response.ok && !response.redirected && box.value === text) onDevice((storage) => storage.removeItem(key));
    } catch {
      /* Without a network it stays on this device. */
    }
  }

  const typed = onDevice((storage) => storage.getItem(key));
  if (typed && typed !== box.value) {
    box.value = typed;
    save();
  }

  box.addEventListener("input", () => {
    onDevice((storage) => storage.setItem(key, box.value));
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE);
  });
  // Whoever goes on to the next conversation at once finds it there too.
  addEventListener("pagehide", () => {
    if (onDevice((storage) => storage.getItem(key)) !== null) save();
  });

  return () => {
    clearTimeout(timer);
    request?.abort();
    onDevice((storage) => storage.removeItem(key));
  };
}
