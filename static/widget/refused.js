/* Tells the loader that the server has decided, so that it neither waits nor says that the chat cannot be reached. There is nothing
 * here that a stranger's page must not learn. */

if (window.parent !== window) window.parent.postMessage({ source: "glassdesk", type: "refused" }, "*");
