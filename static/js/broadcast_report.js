// The report of a broadcast that is moving: the countdown runs, and the page fetches itself anew.

const LOOK_AGAIN = 3000;
const LONG = 60_000;

let region = document.querySelector("[data-report]");
let left = null;
let since = 0;

function readCountdown() {
  const shown = region.querySelector("[data-seconds]");
  left = shown ? Number(shown.dataset.seconds) : null;
  since = performance.now();
}

function tick() {
  const shown = region.querySelector("[data-seconds]");
  if (!shown || left === null) return;
  const seconds = Math.max(0, Math.round(left - (performance.now() - since) / 1000));
  shown.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  if (seconds === 0) left = null;
}

async function lookAgain() {
  if (document.hidden || !("moving" in region.dataset)) return;
  if (left !== null && left - (performance.now() - since) / 1000 > LOOK_AGAIN / 1000) return;
  let page;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return;
  }
  const fresh = page.querySelector("[data-report]");
  const head = page.querySelector(".page-head");
  if (!fresh || region.contains(document.activeElement)) return;
  const phone = region.querySelector(".phones");
  region.replaceWith(fresh);
  // The phone is drawn already and does not change.
  fresh.querySelector(".phones")?.replaceWith(phone);
  document.querySelector(".page-head")?.replaceWith(head);
  region = fresh;
  readCountdown();
}

readCountdown();
setInterval(tick, 250);
setInterval(lookAgain, LOOK_AGAIN);
// Clocks of sleeping tabs drift: a page brought back asks at once.
document.addEventListener("visibilitychange", () => {
  if (performance.now() - since > LONG) left = null;
  lookAgain();
});
