/* Buttons that copy a text of the page: data-copy names the element, data-copied is what the button says afterwards. */

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.querySelector("[role=status]").textContent = button.dataset.copied;
  } catch {
    // No permission, or no secure origin: the text is marked, for the person to copy.
    getSelection().selectAllChildren(source);
  }
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}
