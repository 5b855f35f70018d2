/* The visitor's earlier conversations in the drawer: a list, and one of them to be read. */

import { button, h, icon } from "./dom.js";
import { isRating } from "./items.js";
import { dotted } from "./moments.js";
import { fetchOwn } from "./session.js";
import { ago, date, language, say } from "./strings.js";
import { SurveyCard } from "./survey.js";
import { VIEWS } from "./transcript_view.js";

/** Returns what opens the list. `actions()` are those of the chat, for sources and reports. */
export function createHistory({ drawer, connection, urls, names, actions }) {
  return () => {
    const list = { rows: [], next: null, state: "loading" };
    const build = () => ({ kind: "history", title: say("history.title"), content: listed(list, open, more) });

    async function more() {
      list.state = "loading";
      drawer.refresh(build);
      try {
        const page = await fetchOwn(urls.conversations(list.next), connection.token);
        Object.assign(list, { rows: [...list.rows, ...page.data], next: page.next, state: "known" });
      } catch {
        list.state = "failed";
      }
      drawer.refresh(build);
    }

    async function open(row) {
      const shown = { found: null };
      const card = new SurveyCard(actions().rateConversation);
      const one = () => ({ kind: "history", title: say("history.at", { date: date(row.created_at) }), content: read(shown.found, card, { names, actions }) });
      drawer.open(one);
      shown.found = await fetchOwn(urls.conversation(row.id), connection.token).catch(() => false);
      drawer.refresh(one);
    }

    drawer.open(build);
    more();
  };
}

function listed({ rows, next, state }, open, more) {
  const lines = rows.map((row) => h("li", {}, line(row, () => open(row))));
  return [
    lines.length ? h("ul.history", {}, lines) : null,
    state === "known" && !lines.length ? h("p.hint", {}, say("history.none")) : null,
    state === "loading" ? h("p.loading", { role: "status" }, say("history.loading")) : null,
    state === "failed" ? h("p.warning", { role: "alert" }, icon("alert"), say("history.failed")) : null,
    state === "failed" ? button("pill", say("tryAgain"), more) : null,
    state === "known" && next ? button("pill", say("history.more"), more) : null,
  ].filter(Boolean);
}

function line(row, open) {
  const state = row.status === "closed" ? null : h("span.history-open", {}, say("history.current"));
  return button(
    "used",
    null,
    open,
    h(
      "span.history-line",
      {},
      h("span.history-preview", { dir: "auto" }, row.preview || say("history.untitled")),
      h("span.meta", {}, ...dotted([h("time", { datetime: row.last_message_at }, ago(row.last_message_at)), state])),
    ),
    icon("next"),
  );
}

/** `found`: what the server said, null while it is awaited, false when it cannot be had. */
function read(found, card, { names, actions }) {
  if (found === null) return [h("p.loading", { role: "status" }, say("history.loading"))];
  if (found === false) return [h("p.warning", { role: "alert" }, icon("alert"), say("history.failed"))];
  const { conversation, messages } = found;
  const { company, assistant } = names();
  const context = {
    assistant, company, connected: true, withPerson: true, isOpen: false, isEarlier: true, asking: false,
    actions: { ...actions(), report: (message) => actions().report(message, messages) },
  };
  card.update(conversation, language());
  const isShown = ({ author, body }) => author !== "system" || !isRating(body);
  const entries = messages.filter(isShown).map((message) => {
    const entry = h("article.entry", {}, ...VIEWS[message.author](message, context));
    entry.className = `entry entry-${message.author}`;
    entry.dataset.kind = message.author;
    return entry;
  });
  return [h("p.hint", {}, say("history.ended")), h("div.log", {}, entries), card.element];
}
