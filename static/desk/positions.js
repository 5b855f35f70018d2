/* Which messages of the transcript the page shows. */

/** The position of the last one; 0 while there is none. */
export function lastPosition() {
  return Math.max(0, ...[...document.querySelectorAll("#messages [data-position]")].map((item) => Number(item.dataset.position)));
}

/** How many private notes the page shows. */
export function notesShown() {
  return document.querySelectorAll("#messages .message-note").length;
}
