/* Builds elements. Text always becomes a text node: nothing that people or models wrote is ever parsed as HTML. */

/** `h("button.chip", {type: "button", onclick, "aria-label": …}, "text", otherElement, null)`. */
export function h(selector, attributes = {}, ...children) {
  const [tag, ...classes] = selector.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function button(selector, label, onclick, ...children) {
  return h(`button.${selector}`, { type: "button", "aria-label": children.length ? label : null, onclick }, ...(children.length ? children : [label]));
}

const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  close: "M6 6l12 12M18 6L6 18",
  back: "M15 5l-7 7 7 7",
  next: "M9 6l6 6-6 6",
  down: "M12 5v13M6 13l6 6 6-6",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M8 8h8v8H8z",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  person: "M12 12.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20c.9-3.4 3.9-5 7.5-5s6.6 1.6 7.5 5",
  page: "M7 3.5h7l4 4V20.5H7zM14 3.5v4h4M10 12h5M10 15.5h5",
  add: "M12 5.5v13M5.5 12h13",
  check: "M5 12.5l4.5 4.5L19 7.5",
  alert: "M12 8v5M12 16.5h.01M12 3.5l9 16H3z",
  thumbUp: "M7 10v11M15 5.9L14 10h5.8a2 2 0 0 1 1.9 2.6l-2.3 7a2 2 0 0 1-1.9 1.4H4a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1h3l4-7a2.3 2.3 0 0 1 4 2.9z",
  thumbDown: "M7 14V3M15 18.1L14 14h5.8a2 2 0 0 0 1.9-2.6l-2.3-7A2 2 0 0 0 17.5 3H4a1 1 0 0 0-1 1v9a1 1 0 0 0 1 1h3l4 7a2.3 2.3 0 0 0 4-2.9z",
  mail: "M4 6h16v12H4zM4 7l8 6 8-6",
  history: "M4 12a8 8 0 1 0 2.6-5.9M4 4.5v4h4M12 8v4.5l3 1.8",
  face1: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM8 9l1.6.9M16 9l-1.6.9M8.5 16.5c1.2-2.6 5.8-2.6 7 0",
  face2: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM9 9.5v.6M15 9.5v.6M9.2 15.8c1.1-.6 4.5-.6 5.6 0",
  face3: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM9 9.5v.6M15 9.5v.6M9 15.5h6",
  face4: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM9 9.5v.6M15 9.5v.6M9 14.5c1.2 1.3 4.8 1.3 6 0",
  face5: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM9 9.5v.6M15 9.5v.6M8 13.8h8c-.3 2.2-1.9 3.5-4 3.5s-3.7-1.3-4-3.5z",
  again: "M19 12a7 7 0 1 1-2.2-5.100M19 4v4.5h-4.5",
};

/** A line icon. Decorative: the words beside it, or the label around it, carry the meaning. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

export const byId = (id) => document.getElementById(id);

/** Shows or hides, and says whether it changed. */
export function show(element, visible) {
  const changed = element.hidden === visible;
  element.hidden = !visible;
  return changed;
}
