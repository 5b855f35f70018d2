/* A person at the desk who stops writing without a word is forgotten when the server forgets them. */

let timer = 0;

/** Call it whenever the conversation's state has come anew. */
export function forgetWriting(store) {
  clearTimeout(timer);
  const seconds = store.state.conversation?.writing_seconds;
  if (!seconds) return;
  timer = setTimeout(() => store.change(stopped), (seconds + 1) * 1000);
}

function stopped(state) {
  if (!state.conversation?.writing) return state;
  return { ...state, conversation: { ...state.conversation, writing: null, writing_seconds: null } };
}
