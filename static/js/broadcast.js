// The broadcast editor: how many get it and what it costs follows what is chosen. The server counts
// and writes the words; this only asks again and puts the answer in its place.

const form = document.querySelector("[data-broadcast]");
const place = form.querySelector("[data-sum]");
const button = form.querySelector("[data-button]");
const PAUSE = 300;
const COUNTS = new Set(
  ["who", "tag", "without", "segment", "condition", "when", "at", "holdout_percent", "service", "wake"],
);

let timer;
let asked = 0;

async function count() {
  const mine = ++asked;
  place.classList.add("stale");
  try {
    const answer = await fetch(form.dataset.sumUrl, { method: "POST", body: new FormData(form) });
    if (!answer.ok || mine !== asked) return;
    const told = await answer.json();
    place.innerHTML = told.html;
    if (button) button.textContent = told.button;
  } catch {
    return; // no connection: the sum stays pale
  }
  place.classList.remove("stale");
}

form.addEventListener("input", (event) => {
  if (!COUNTS.has(event.target.name) && !event.target.name.startsWith("est_")) return;
  clearTimeout(timer);
  timer = setTimeout(count, PAUSE);
});
