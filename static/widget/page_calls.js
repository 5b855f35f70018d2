/* What the page around the chat asks for by its JavaScript (docs/embedding.md). */

/** Answers the page's calls; returns what has to be told it when the socket is open. */
export function answerPage({ host, accent, connection, onOpen, changeLanguage }) {
  let context = null;
  const tell = () => context && connection.send({ type: "context", context });

  host.listen({
    accent,
    onOpen,
    onLanguage: changeLanguage,
    onContext(given) {
      context = given;
      tell();
    },
  });
  return tell;
}

/** The page says who the customer is, but its server's word does not count: they can ask as anybody can. */
export function refuse({ host, query, error }) {
  host.tell("error", error);
  query.delete("identified");
  window.location.replace(`?${query}`);
}
