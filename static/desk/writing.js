/* Tells the server that somebody is writing a reply, so that the AI waits and the others see it. It forgets by itself. */

const AGAIN_AFTER = 8_000;

/** `form` names the address in `data-writing`; the answer is the line above the reply box. */
export function watchWriting(form, box) {
  let toldAt = 0;

  async function tell(values = {}) {
    const body = new URLSearchParams({ csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value, ...values });
    try {
      const response = await fetch(form.dataset.writing, { method: "POST", body });
      if (response.ok && !response.redirected) window.htmx?.swap("#composer-hint", await response.text(), { swapStyle: "outerHTML" });
    } catch {
      /* Without a network nobody can be told; the text is kept. */
    }
  }

  box.addEventListener("input", () => {
    const isWriting = box.value.trim() !== "";
    if (!isWriting && toldAt) {
      toldAt = 0;
      tell({ stopped: "1" });
    } else if (isWriting && Date.now() - toldAt > AGAIN_AFTER) {
      toldAt = Date.now();
      tell();
    }
  });
  form.addEventListener("htmx:afterRequest", (event) => {
    // Sent: the server knows that by itself.
    if (event.detail.elt === form && event.detail.xhr.status === 204) toldAt = 0;
  });
}
