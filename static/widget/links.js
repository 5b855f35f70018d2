/* Web addresses in text. The same rule as helpdesk/pages/links.py, held to one table of cases (tests/link_cases.json). Pure. */

// No address goes on behind these: white space, controls, quotes, angle brackets, and the punctuation of other scripts.
const ENDS = String.raw`\s\u0000-\u001f\u007f-\u009f<>"\u0060|\\^\u2000-\u206f\u3000-\u303f\ufeff\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\u00ab\u00bb\u060c\u061b\u061f\u06d4\u0964`;
/** The source of a pattern for what may be an address. */
export const ADDRESS = String.raw`(?:(?<![0-9A-Za-z_])https?:\/\/|(?<![0-9A-Za-z_@.\/-])www\.)[^${ENDS}]+`;
// Scripts that put no space between an address and the sentence around it.
const UNSPACED = /[\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]/;
const HOST = /^(?:\[[0-9a-f:.]+\]|[0-9a-z_\u0080-\uffff](?:[0-9a-z_.\u0080-\uffff-]*[0-9a-z_.\u0080-\uffff])?)(?::\d{1,5})?$/i;
const BRACKETS = { "<": ">", '"': '"', "（": "）", "「": "」", "『": "』", "“": "”", "《": "》", "【": "】" };
const OPENERS = { ")": "(", "]": "[", "}": "{" };

/** The address at the beginning of `found`, a match of ADDRESS between `before` and `after`; empty when it is none. */
export function addressIn(found, before = "", after = "") {
  const isEnclosed = before !== "" && BRACKETS[before] === after;
  const address = withoutStops(isEnclosed ? found : withoutProse(found));
  const [, prefix, authority] = /^(https?:\/\/|)([^/?#]*)/i.exec(address);
  if (!HOST.test(authority)) return "";
  return prefix || /^www\.[^.]+\.[^.]{2,}/i.test(authority) ? address : "";
}

/** Where a link leads. */
export const target = (address) => (/^www\./i.test(address) ? `https://${address}` : address);

/** The text in parts, `{text, href}`; `href` is null for what is no address. */
export function linked(text) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(new RegExp(ADDRESS, "gi"))) {
    const end = match.index + match[0].length;
    const address = addressIn(match[0], text[match.index - 1], text[end]);
    if (!address) continue;
    if (match.index > from) parts.push({ text: text.slice(from, match.index), href: null });
    parts.push({ text: address, href: target(address) });
    from = match.index + address.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from), href: null });
  return parts;
}

/** Without the sentence that follows directly, as in Chinese. Such signs belong to an address as a host of their own, and inside
 * of a path or a query where one of its parts begins with them. */
function withoutProse(found) {
  const [, start, host, rest] = /^((?:https?:\/\/)?(?:www\.)?)([^/?#]*)(.*)$/is.exec(found);
  const isOfTheirs = UNSPACED.test(host[0] ?? "");
  const inHost = isOfTheirs ? -1 : host.search(UNSPACED);
  if (inHost >= 0) return start + host.slice(0, inHost);
  const prose = rest.search(UNSPACED);
  if (prose < 0 || ((prose > 1 || isOfTheirs) && "/=_(+&#~-".includes(rest[prose - 1]))) return found;
  return start + host + rest.slice(0, prose);
}

/** Without the sentence's own stops and brackets; brackets that were opened inside stay. */
function withoutStops(found) {
  let end = found.length;
  const count = (sign) => found.split(sign).length - 1;
  const open = Object.fromEntries(Object.entries(OPENERS).map(([closer, opener]) => [closer, count(closer) - count(opener)]));
  for (; end > 0; end -= 1) {
    const last = found[end - 1];
    if (open[last] > 0) open[last] -= 1;
    else if (!".,;:!?'*~".includes(last)) break;
  }
  return found.slice(0, end);
}
