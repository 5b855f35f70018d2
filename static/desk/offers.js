/* Texts that are offered while somebody types: canned replies behind a slash, names behind an @. Arrows choose, Enter or Tab takes.
 *
 * The list is a combobox's: the text field keeps the focus, and says which of the list is chosen. */

const PAUSE = 120;

/** Offer in `box` what `address` answers for the word behind `sign`; `data-offers` of `box` names the list for screen readers. */
export function offerIn(box, { sign, address, insertion }) {
  const list = document.createElement("ul");
  list.className = "offers";
  list.id = `${box.id}-offers`;
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", box.dataset.offers ?? "");
  box.parentElement.prepend(list);
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-controls", list.id);
  // At the beginning or behind a space, so that neither addresses nor e-mails open it.
  const pattern = new RegExp(`(?:^|\\s)${sign}([^\\s${sign}]{0,40})$`, "u");
  let shown = [];
  let chosen = 0;
  let timer = null;
  let request = null;

  const word = () => box.value.slice(0, box.selectionStart).match(pattern)?.[1];

  function close() {
    clearTimeout(timer);
    request?.abort();
    shown = [];
    list.hidden = true;
    list.replaceChildren();
    box.removeAttribute("aria-activedescendant");
  }

  function choose(index) {
    chosen = (index + shown.length) % shown.length;
    for (const [at, item] of [...list.children].entries()) item.setAttribute("aria-selected", String(at === chosen));
    box.setAttribute("aria-activedescendant", list.children[chosen].id);
    list.children[chosen].scrollIntoView({ block: "nearest" });
  }

  function take(index) {
    const typed = word();
    const offer = shown[index];
    if (!offer || typed === undefined) return;
    const end = box.selectionStart;
    box.setRangeText(insertion(offer), end - typed.length - 1, end, "end");
    close();
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.focus();
  }

  function draw(offers) {
    if (!offers.length) return close();
    shown = offers;
    list.replaceChildren(
      ...offers.map(({ name, text }, index) => {
        const item = document.createElement("li");
        item.id = `${list.id}-${index}`;
        item.setAttribute("role", "option");
        const title = document.createElement("strong");
        title.textContent = name;
        const preview = document.createElement("span");
        preview.textContent = text;
        item.append(title, preview);
        // Before the field loses the focus.
        item.addEventListener("pointerdown", (event) => {
          event.preventDefault();
          take(index);
        });
        return item;
      }),
    );
    list.hidden = false;
    choose(0);
  }

  async function ask(typed) {
    request?.abort();
    request = new AbortController();
    try {
      const response = await fetch(`${address}?q=${encodeURIComponent(typed)}`, { signal: request.signal });
      if (response.ok && !response.redirected && word() === typed) draw((await response.json()).offers);
    } catch {
      /* Typed on, or no network: nothing is offered. */
    }
  }

  function look(event) {
    clearTimeout(timer);
    const typed = event.isComposing ? undefined : word();
    if (typed === undefined) close();
    else timer = setTimeout(() => ask(typed), PAUSE);
  }

  box.addEventListener("input", look);
  // Behind an input method's last letter comes no input that is not composing.
  box.addEventListener("compositionend", look);
  box.addEventListener("blur", close);
  box.addEventListener("keydown", (event) => {
    if (list.hidden || event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen - 1);
    else if (event.key === "Enter" || event.key === "Tab") take(chosen);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  });
}
