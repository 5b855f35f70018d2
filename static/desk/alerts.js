/* A desktop notification and a sound when more needs this person than before: both off until somebody switches them on, on this
 * device. They say how much, and nothing of what a customer wrote. */

const STORED = { notification: "glassdesk:notify", sound: "glassdesk:sound" };
const QUIET_SECONDS = 5;
const LAST = "glassdesk:alerted";

const list = document.getElementById("list");
const sheet = document.getElementById("keys");
const switches = { notification: document.getElementById("alert-notification"), sound: document.getElementById("alert-sound") };
const problem = document.getElementById("alert-problem");
const needed = () => Number(document.getElementById("queues")?.dataset.attention ?? 0);
let before = needed();

const stored = (change) => {
  try {
    return change(localStorage);
  } catch {
    return null;
  }
};

/** Two notes, made here: no file has to be fetched when it matters. */
function sound() {
  const context = new AudioContext();
  const volume = context.createGain();
  volume.connect(context.destination);
  volume.gain.setValueAtTime(0.08, context.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.0001, context.currentTime + 0.5);
  for (const [at, frequency] of [[0, 660], [0.14, 880]]) {
    const tone = context.createOscillator();
    tone.frequency.value = frequency;
    tone.connect(volume);
    tone.start(context.currentTime + at);
    tone.stop(context.currentTime + 0.5);
  }
  setTimeout(() => context.close(), 1_000);
}

function notify(count) {
  // One for all open pages: the same tag replaces it.
  const shown = new Notification(sheet.dataset.alert.replace("0", String(count)), { tag: "glassdesk", icon: sheet.dataset.icon });
  shown.addEventListener("click", () => {
    window.focus();
    shown.close();
  });
}

function alertOf(count) {
  // Of several open pages one is enough.
  const last = Number(stored((storage) => storage.getItem(LAST)) ?? 0);
  if (Date.now() - last < QUIET_SECONDS * 1000) return;
  stored((storage) => storage.setItem(LAST, String(Date.now())));
  if (switches.sound.checked) sound();
  if (switches.notification.checked && document.hidden && window.Notification?.permission === "granted") notify(count);
}

list.addEventListener("htmx:afterSwap", () => {
  const count = needed();
  if (count > before) alertOf(count);
  before = count;
});

/** A switch that stays off when the browser does not allow it, and says so. */
async function switchNotification() {
  problem.textContent = "";
  if (switches.notification.checked) {
    const answer = window.Notification ? await Notification.requestPermission() : "denied";
    if (answer !== "granted") {
      switches.notification.checked = false;
      problem.textContent = problem.dataset.refused;
    }
  }
  stored((storage) => storage.setItem(STORED.notification, switches.notification.checked ? "on" : "off"));
}

switches.notification.checked = stored((storage) => storage.getItem(STORED.notification)) === "on" && window.Notification?.permission === "granted";
switches.sound.checked = stored((storage) => storage.getItem(STORED.sound)) === "on";
switches.notification.addEventListener("change", switchNotification);
switches.sound.addEventListener("change", () => {
  stored((storage) => storage.setItem(STORED.sound, switches.sound.checked ? "on" : "off"));
  if (switches.sound.checked) sound();
});
