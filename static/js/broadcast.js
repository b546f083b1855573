// The broadcast editor: how many get it and what it costs follows what is chosen. The server counts
// and writes the words; this only asks again and puts the answer in its place.

const form = document.querySelector("[data-broadcast]");
const place = form.querySelector("[data-sum]");
const button = form.querySelector("[data-button]");
const PAUSE = 300;
const COUNTS = new Set(
  ["who", "tag", "without", "segment", "topic", "condition", "when", "at", "holdout_percent", "service", "wake"],
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

const isCounted = (name) => COUNTS.has(name) || name.startsWith("est_");

form.addEventListener("input", (event) => {
  if (!isCounted(event.target.name)) return;
  clearTimeout(timer);
  timer = setTimeout(count, PAUSE);
});

// Somebody may have chosen before this script was there, and a browser that goes back restores.
function isAsServed(field) {
  if (field.tagName === "SELECT") return [...field.options].every((one) => one.selected === one.defaultSelected);
  return ["radio", "checkbox"].includes(field.type) ? field.checked === field.defaultChecked
    : field.value === field.defaultValue;
}

const counting = [...form.elements].filter((field) => isCounted(field.name ?? ""));
if (!counting.every(isAsServed)) count();
