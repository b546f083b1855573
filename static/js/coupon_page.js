// A friend's coupon: the time that is left, and noticing when the counter has used it.

const live = document.getElementById("live").dataset;
const loadedAt = Date.now();

const left = document.querySelector("[data-left]");
const ends = Number(live.ends);

function twoDigits(number) {
  return String(number).padStart(2, "0");
}

function tell() {
  // The shop's clock may differ from this phone's: only the time since loading is the phone's.
  const seconds = Math.floor((ends - Number(live.now) - (Date.now() - loadedAt)) / 1000);
  if (seconds <= 0) {
    location.reload();
    return;
  }
  const hours = Math.floor(seconds / 3600);
  if (hours >= 24) {
    left.textContent = left.dataset.days
      .replace("{days}", Math.floor(hours / 24))
      .replace("{hours}", hours % 24);
  } else {
    const clock = [hours, Math.floor(seconds / 60) % 60, seconds % 60].map(twoDigits).join(":");
    left.textContent = left.dataset.clock.replace("{clock}", clock);
  }
  left.hidden = false;
  setTimeout(tell, 1000);
}

if (left && ends) tell();

// Every 3 s while it is fresh on the screen, then slowly: a phone left open must not drain.
const FAST = 3000, SLOW = 15000, FRESH = 180000, UNDO = 900000;
const final = ["expired", "voided", "closed"].includes(live.state);

function nextIn() {
  const open = Date.now() - loadedAt;
  if (live.state === "used") return open < UNDO ? 5000 : 0;
  return open < FRESH ? FAST : SLOW;
}

async function ask() {
  if (!document.hidden && !document.querySelector("details[open]:not(.plain)")) {
    try {
      const answer = await fetch(live.ask, { headers: { Accept: "application/json" } });
      if (answer.ok && (await answer.json()).state !== live.state) {
        location.reload();
        return;
      }
    } catch {
      // No connection just now; the next round may have one.
    }
  }
  const wait = nextIn();
  if (wait) setTimeout(ask, wait);
}

if (!final) setTimeout(ask, nextIn());
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
