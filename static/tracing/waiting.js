/* While an analysis is under way: ask now and then, and open the report again when it is done. */

const POLL_MS = 2000;
const form = document.getElementById("reopen");
const notes = document.querySelectorAll("[data-waiting]");

async function openJobs() {
  const response = await fetch(form.dataset.jobs, { headers: { Accept: "application/json" } });
  return response.ok ? (await response.json()).open : 0;
}

async function wait() {
  let before = notes.length;
  while (before > 0) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    let open = before;
    try {
      open = await openJobs();
    } catch {
      continue; // the server restarts; ask again
    }
    if (open < before) {
      form.action += notes[0].closest("section") ? `#${notes[0].closest("section").id}` : "";
      form.requestSubmit();
      return;
    }
    before = open;
  }
}

if (form && notes.length) wait();
