/* Puts the chat on a company's page:
 *   <script src="https://desk.example/static/widget/loader.js" data-tenant="acme" async>
 * Options: data-language (en, zh), data-accent (#rrggbb), data-side (right, left), data-theme (auto, light, dark), data-contact
 * (mail address for when the chat cannot be reached), data-label (name of the button), data-server (where the desk is, for a
 * copy of this file). Where attributes get lost, as in tag managers, the same names may stand in this file's address
 * (`loader.js?tenant=acme`) or in `window.Glassdesk = { tenant: "acme" }`. The same name then holds what a page may do (docs/embedding.md):
 * open, close, toggle, identify, setLanguage, setContext, on, shutdown; `Glassdesk.queue = [["open"], …]` waits for the loader.
 * The button lives in a shadow tree beside the body, so that routers that replace the body (Turbo, Astro, htmx, pjax) leave it
 * and the open conversation alone; the chat is in a frame that is loaded on first open. No styles leak either way. Nothing is
 * inline, so the page's content security policy needs only script-src and frame-src for this server. */
(() => {
  const FILE = /\/widget\/loader\.js$/;
  const url = (text) => {
    try {
      return new URL(text, document.baseURI);
    } catch {
      return null;
    }
  };
  const isThisFile = (address) => FILE.test(url(address)?.pathname);
  const complain = (words) => console.error(`Glassdesk: ${words}`);

  // A module is not told its element: it is the first of this file that no other run has claimed. `import()` has none at all,
  // but the stack says where the file came from.
  const script = document.currentScript ?? [...document.scripts].find((each) => each.src && isThisFile(each.src) && !each.isOfGlassdesk);
  const source = script?.src || /https?:\/\/[^\s()]+?\.js\b[^\s():]*/.exec(new Error().stack)?.[0];
  const address = source && isThisFile(source) ? url(source) : null;
  const options = { ...window.Glassdesk, ...Object.fromEntries(address?.searchParams ?? []), ...script?.dataset };
  const server = options.server ? url(options.server) : address;
  if (script) script.isOfGlassdesk = true;
  if (!options.tenant) {
    return complain('no chat, because no company is named. Write data-tenant="…" on the script element, loader.js?tenant=… in its address, or window.Glassdesk = { tenant: "…" } before it.');
  }
  if (!server) {
    return complain(`no chat, because its server is not known. Load loader.js from the desk, or say data-server="https://…" or window.Glassdesk = { tenant: "${options.tenant}", server: "https://…" }.`);
  }

  const base = server.origin + server.pathname.replace(/(\/static)?\/widget\/loader\.js$/, "").replace(/\/$/, "");
  const RUNNING = Symbol.for("glassdesk");
  const running = window[RUNNING];
  // A router that puts another page in runs that page's script too: the element of the earlier run is gone by then.
  const isGone = running && running.script && !running.script.isConnected;
  if (running && isGone && running.base === base && running.tenant === options.tenant) {
    running.script = script;
    return;
  }
  if (running && !isGone) {
    return complain(`the chat of "${running.tenant}" is on this page already. Take out one of the two scripts; this one changes nothing.`);
  }
  running?.end();

  const [ANSWER_WITHIN, LOADED_ANSWER_WITHIN, LEAVE_WITHIN] = [8000, 3000, 2000];
  const WORDS = {
    en: ["Open the chat", "Close the chat", "{n} unread", "Chat", "The chat cannot be reached right now.", "Write to {n}", "Try again"],
    zh: ["打开对话", "关闭对话", "{n} 条未读", "在线对话", "暂时无法连接在线对话。", "发邮件至 {n}", "重试"],
  };
  const [OPEN, CLOSE, UNREAD, PANEL, DOWN, WRITE, AGAIN] = [0, 1, 2, 3, 4, 5, 6];
  const ICONS = {
    chat: "M5 5.5h14a1.5 1.5 0 0 1 1.5 1.5v8.5a1.5 1.5 0 0 1-1.5 1.5h-7l-4.5 3.5v-3.5H5a1.5 1.5 0 0 1-1.5-1.5V7A1.5 1.5 0 0 1 5 5.5zM8 9.5h8M8 12.5h5",
    close: "M6 9.5l6 6 6-6",
  };
  const CSS = `
    :host { all: initial !important; position: fixed !important; z-index: 2147483000 !important } * { box-sizing: border-box } [hidden] { display: none !important }
    .launcher, .panel { position: fixed; right: 20px } .left > * { right: auto; left: 20px }
    .launcher { bottom: 20px; display: grid; place-items: center; width: 58px; height: 58px; padding: 0; border: 0; border-radius: 50%;
      background: var(--accent, #0e6672); color: var(--on, #fff); box-shadow: 0 2px 6px rgb(18 38 42 / 16%), 0 10px 28px -6px rgb(18 38 42 / 42%);
      cursor: pointer; transition: transform 140ms, filter 140ms }
    .launcher:hover { transform: translateY(-2px); filter: brightness(1.07) }
    .launcher:focus-visible { outline: 3px solid #fff; box-shadow: 0 0 0 6px var(--accent, #0e6672) }
    svg { width: 28px; height: 28px; fill: none; stroke: currentColor; stroke-width: 1.9; stroke-linecap: round; stroke-linejoin: round }
    .badge { position: absolute; top: -3px; right: -3px; min-width: 22px; height: 22px; padding: 0 5px; border: 2px solid #fff; border-radius: 11px;
      background: #b3261e; color: #fff; font: 700 12px/18px system-ui, sans-serif; text-align: center }
    .panel { bottom: 90px; width: 400px; max-width: calc(100vw - 40px); height: min(680px, calc(100dvh - 110px)); overflow: hidden; border-radius: 18px;
      background: Canvas; color: CanvasText; color-scheme: light dark; transition: opacity 160ms, transform 160ms, visibility 160ms;
      box-shadow: 0 2px 8px rgb(18 38 42 / 12%), 0 24px 64px -12px rgb(18 38 42 / 38%) }
    .light .panel { color-scheme: light } .dark .panel { color-scheme: dark }
    .panel[data-closed] { visibility: hidden; opacity: 0; transform: translateY(10px) scale(.985); pointer-events: none }
    iframe { display: block; width: 100%; height: 100%; border: 0; color-scheme: normal }
    .down { display: grid; height: 100%; align-content: center; justify-items: center; gap: 14px; padding: 28px; text-align: center;
      overflow-wrap: anywhere; font: 16px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif }
    .down p { margin: 0 } .down a { color: LinkText }
    .down button { min-height: 40px; padding: 0 18px; border: 1px solid; border-radius: 20px; background: none; color: inherit; font: inherit; cursor: pointer }
    @media (width < 668px) {
      .panel, .left > .panel { inset: 0; width: 100%; max-width: none; height: 100dvh; border-radius: 0 }
      .open > .launcher:not(.needed) { display: none } .open > .needed { top: 12px; bottom: auto; width: 44px; height: 44px }
    }
    @media (prefers-reduced-motion: reduce) { .launcher, .panel { transition: none } .launcher:hover { transform: none } }
    @media print { :host { display: none !important } }`;

  const theme = ["light", "dark"].includes(options.theme) ? options.theme : "auto";
  const colourOf = (text) => /^#?([0-9a-f]{6})$/i.exec(text ?? "")?.[1];
  const accent = colourOf(options.accent);
  let language = /^zh/i.test(options.language || document.documentElement.lang || navigator.language) ? "zh" : "en";
  let [frame, answered, isOpen, unread, timer] = [null, false, false, 0, 0];
  let [identity, context, isLeaving, isTitled] = [null, null, false, false];
  const hearers = new Map();

  const say = (word, n = "") => WORDS[language][word].replace("{n}", n);
  const make = (name, attributes = {}, ...children) => {
    const isSvg = name === "svg" || name === "path";
    const element = isSvg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const badge = make("span", { class: "badge", "aria-hidden": "true" });
  const launcher = make("button", { class: "launcher", type: "button", "aria-haspopup": "dialog", "data-testid": "glassdesk-launcher" });
  const panel = make("div", { class: "panel", role: "dialog", "data-closed": "" });
  const root = make("div", { class: `${theme} ${options.side === "left" ? "left" : "right"}` }, panel, launcher);

  function show() {
    const name = isOpen ? say(CLOSE) : options.label || say(OPEN);
    launcher.setAttribute("aria-label", !isOpen && unread ? `${name} (${say(UNREAD, unread)})` : name);
    launcher.setAttribute("aria-expanded", isOpen);
    launcher.replaceChildren(make("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, make("path", { d: ICONS[isOpen ? "close" : "chat"] })), badge);
    badge.textContent = unread > 9 ? "9+" : unread;
    badge.hidden = isOpen || !unread;
    panel.setAttribute("aria-label", say(PANEL));
    panel.toggleAttribute("data-closed", !isOpen);
    root.classList.toggle("open", isOpen);
    // The page's own title comes back as the page last wrote it.
    const title = document.title.replace(/^\(\d+\+?\) /, "");
    const wanted = badge.hidden ? title : `(${badge.textContent}) ${title}`;
    if ((isTitled || !badge.hidden) && document.title !== wanted) document.title = wanted;
    isTitled = !badge.hidden;
  }

  function paint(colour) {
    if (!colour) return;
    const [red, green, blue] = [0, 2, 4].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
    root.style.setProperty("--accent", `#${colour}`);
    root.style.setProperty("--on", red * 0.299 + green * 0.587 + blue * 0.114 > 150 ? "#14262a" : "#fff");
  }

  function load() {
    const query = new URLSearchParams({ language, origin: location.origin });
    if (accent) query.set("accent", accent);
    if (theme !== "auto") query.set("theme", theme);
    // What it is follows by message: nothing of a person stands in an address.
    if (identity) query.set("identified", "1");
    if (isLeaving) query.set("forget", "1");
    frame = make("iframe", { title: say(PANEL), src: `${base}/widget/${encodeURIComponent(options.tenant)}/frame?${query}` });
    // Until the frame shows its own button, and for good where it may not be shown.
    launcher.classList.add("needed");
    panel.replaceChildren(frame);
    waitForAnswer(ANSWER_WITHIN);
  }

  function waitForAnswer(milliseconds) {
    clearTimeout(timer);
    answered = false;
    timer = setTimeout(fail, milliseconds);
  }

  /** The frame did not answer in time: a mail link takes its place. A browser does not tell whether it may not be shown here. */
  function fail() {
    if (isLeaving) return end();
    console.warn(`Glassdesk: no answer from ${base}. Does the page's content security policy name it in frame-src?`);
    [frame, answered] = [null, false];
    const mail = options.contact && make("a", { href: `mailto:${options.contact}` }, say(WRITE, options.contact));
    const again = make("button", { type: "button", class: "again" }, say(AGAIN));
    panel.replaceChildren(make("div", { class: "down", lang: language }, make("p", { role: "alert" }, say(DOWN)), mail || "", again));
    launcher.classList.add("needed");
    if (isOpen) (mail || again).focus();
  }

  const send = (message) => frame?.contentWindow?.postMessage({ source: "glassdesk", ...message }, server.origin);
  const post = (type, more = {}) => answered && send({ type, ...more });

  function tell(name, detail = {}) {
    for (const hear of hearers.get(name) ?? []) {
      try {
        hear(detail);
      } catch (error) {
        console.error(error);
      }
    }
  }

  function turn(opens) {
    if (opens === isOpen || !holder.isConnected) return;
    [isOpen, unread] = [opens, opens ? 0 : unread];
    if (opens && !panel.firstChild) load();
    show();
    if (opens) (frame ?? panel.querySelector("a, button")).focus();
    else if ([holder, document.body].includes(document.activeElement)) launcher.focus();
    post(opens ? "open" : "closed");
    tell(opens ? "open" : "close");
  }

  let listening = new AbortController();

  function listen() {
    listening.abort();
    listening = new AbortController();
    const on = (target, type, act) => target.addEventListener(type, act, { signal: listening.signal, capture: true });
    on(launcher, "click", () => turn(!isOpen));
    on(panel, "click", (event) => event.target.matches(".again") && load());
    on(panel, "load", () => frame && !answered && waitForAnswer(LOADED_ANSWER_WITHIN));
    on(root, "keydown", (event) => event.key === "Escape" && isOpen && turn(false));
    on(window, "message", receive);
  }

  function receive({ source, origin, data }) {
    if (!frame || source !== frame.contentWindow || origin !== server.origin || data?.source !== "glassdesk") return;
    if (data.type === "hello") send({ type: "identity", identity });
    if (data.type === "ready") {
      if (isLeaving) return end();
      clearTimeout(timer);
      answered = true;
      launcher.classList.remove("needed");
      if (!accent) paint(colourOf(data.accent));
      post(isOpen ? "open" : "closed");
      if (context) post("context", { context });
      tell("ready");
    }
    if (data.type === "refused") {
      clearTimeout(timer);
      answered = true;
      complain(`${location.origin} may not show the chat of "${options.tenant}". The company's owners and admins name their websites in the desk: Widget, Allowed sites.`);
      tell("error", { code: "website_refused" });
    }
    if (data.type === "close") turn(false);
    if (data.type === "unread") tell("unread", { count: (unread = isOpen ? 0 : Number(data.count) || 0) });
    if (data.type === "language" && WORDS[data.language]) tell("language", { language: (language = data.language) });
    if (data.type === "event") {
      if (data.name === "error") complain(data.detail.message);
      if (data.detail.code === "identity_refused") identity = null;
      tell(data.name, data.detail);
    }
    show();
  }

  const holder = make("glassdesk-widget");
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  const shadow = holder.attachShadow({ mode: "open" });
  shadow.adoptedStyleSheets = [sheet];
  shadow.append(root);
  paint(accent);

  /** Beside the body, where no router puts anything else. Somebody who replaces the whole document takes it out all the same. */
  const watch = new MutationObserver((changes) => {
    if (holder.isConnected || !document.documentElement) return;
    const removed = changes.flatMap((change) => [...change.removedNodes]);
    // Taken out by itself: the page wants no chat any more.
    if (removed.length && removed.every((node) => node === holder)) end();
    else place();
  });

  function place() {
    watch.disconnect();
    watch.observe(document, { childList: true });
    watch.observe(document.documentElement, { childList: true });
    document.documentElement.append(holder);
    // `document.open()` takes all listeners away, and a frame is loaded anew in another place.
    listen();
    if (frame) waitForAnswer(ANSWER_WITHIN);
  }

  function end() {
    watch.disconnect();
    listening.abort();
    clearTimeout(timer);
    holder.remove();
    for (const name of Object.keys(api)) delete window.Glassdesk?.[name];
    delete window[RUNNING];
  }

  const api = {
    open: () => turn(true),
    close: () => turn(false),
    toggle: () => turn(!isOpen),
    /** `token`: a JSON Web Token of the company's server; null for somebody who has signed out. The chat starts anew for them. */
    identify(token) {
      if (token !== null && typeof token !== "string") return complain("identify() takes a token of your server as text, or null.");
      if (token === identity) return;
      identity = token;
      if (frame) load();
    },
    setLanguage(tag) {
      language = /^zh/i.test(tag) ? "zh" : "en";
      post("setLanguage", { language });
      show();
    },
    /** Texts, numbers, true and false by name, for the people at the desk: `{ plan: "Pro", page: "/checkout" }`. */
    setContext(given) {
      context = { ...given };
      post("context", { context });
    },
    /** Returns a function that takes the listener away again. */
    on(name, hear) {
      hearers.set(name, [...(hearers.get(name) ?? []), hear]);
      return () => hearers.set(name, hearers.get(name).filter((each) => each !== hear));
    },
    /** Takes the chat out and forgets the visitor in this browser. */
    shutdown() {
      // What it stored stands in the frame's own storage, also when it was not opened on this page.
      [isLeaving, root.hidden] = [true, true];
      load();
      waitForAnswer(LEAVE_WITHIN);
    },
  };

  show();
  window[RUNNING] = { script, base, tenant: options.tenant, end };
  const waiting = window.Glassdesk?.queue ?? [];
  window.Glassdesk = Object.assign(typeof window.Glassdesk === "object" ? window.Glassdesk : {}, api, { queue: [] });
  function begin() {
    place();
    for (const [name, ...given] of waiting) api[name]?.(...given);
  }
  if (document.body) begin();
  else addEventListener("DOMContentLoaded", begin, { signal: listening.signal });
})();
