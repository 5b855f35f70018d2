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

    clear() {
      for (const key of ["token", "draft", "outbox", "person", "language"]) this.remove(key);
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

/** Whose values they are: a signed-in customer's are kept apart from those of whoever else uses this browser. The subject itself is not
 * written down, only a number made of it (FNV-1a). */
export function holderOf(tenant, identity) {
  if (!identity) return tenant;
  let hash = 0x811c9dc5;
  for (const sign of subjectOf(identity)) hash = Math.imul(hash ^ sign.codePointAt(0), 0x01000193) >>> 0;
  return `${tenant}~${hash.toString(36)}`;
}

/** Read, not verified: the server does that. */
function subjectOf(identity) {
  try {
    const claims = identity.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return String(JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(claims), (sign) => sign.charCodeAt(0)))).sub);
  } catch {
    return identity;
  }
}

function browserStorage() {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
