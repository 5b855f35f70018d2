/* Small values kept per company. Where the browser forbids storage (private windows, blocked third-party data) they live as
 * long as the page does. */

/** A store whose keys belong to one tenant. Values are JSON. */
export function createStorage(tenant, backing = browserStorage()) {
  const memory = new Map();
  const name = (key) => `glassdesk:${tenant}:${key}`;

  return {
    get(key, fallback = null) {
      try {
        const text = backing?.getItem(name(key));
        if (text !== null && text !== undefined) return JSON.parse(text);
      } catch {
        /* Unreadable or forbidden: the copy in memory is all there is. */
      }
      return memory.has(key) ? memory.get(key) : fallback;
    },

    set(key, value) {
      memory.set(key, value);
      try {
        backing?.setItem(name(key), JSON.stringify(value));
      } catch {
        /* Full or forbidden. */
      }
    },

    remove(key) {
      memory.delete(key);
      try {
        backing?.removeItem(name(key));
      } catch {
        /* Forbidden. */
      }
    },
  };
}

function browserStorage() {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
