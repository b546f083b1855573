// The order of the steps in a branch: a card is dragged by mouse, or by a finger that holds it first, or
// moved with Alt and an arrow key. What is sent is the editor's own form, so that undo, two tabs and
// whatever is being typed are looked after as for the buttons.

const HOLD_MS = 350;
const FAR = 6; // pixels; nearer is a click, or a finger that trembles
const EDGE = 48;
const STRIDE = 10;
const canvas = document.querySelector("[data-canvas]");
const MOVED = `moved:${location.pathname}`;

let drag = null; // {card, pointer, from {x, y}, at {x, y}, top, on, over, to, hold, walk}

const cards = (column) => [...column.querySelectorAll("[data-step]")];

function move(card, to) {
  const form = document.querySelector("form[data-move]");
  const number = Number(card.dataset.step);
  if (!form || to === number || to < 1 || to > cards(card.closest(".branch")).length) return;
  form.elements.step.value = card.dataset.place;
  form.elements.to.value = to;
  sessionStorage.setItem(MOVED, "1");
  form.requestSubmit();
}

function begin() {
  drag.on = true;
  drag.walk = setInterval(walk, 30);
  drag.card.classList.add("dragged");
  canvas.classList.add("sorting");
  navigator.vibrate?.(10);
}

function forget() {
  if (!drag) return;
  clearTimeout(drag.hold);
  clearInterval(drag.walk);
  drag.card.classList.remove("dragged");
  drag.card.style.removeProperty("translate");
  canvas.classList.remove("sorting");
  drag.over?.classList.remove("before", "behind");
  drag = null;
}

canvas.addEventListener("pointerdown", (event) => {
  const card = event.target.closest("[data-step]");
  if (!card || event.button || !event.isPrimary) return;
  forget();
  const from = { x: event.clientX, y: event.clientY };
  drag = { card, pointer: event.pointerId, from, at: from, top: canvas.scrollTop };
  if (event.pointerType !== "mouse") drag.hold = setTimeout(begin, HOLD_MS);
});

document.addEventListener("pointermove", (event) => {
  if (!drag || event.pointerId !== drag.pointer) return;
  drag.at = { x: event.clientX, y: event.clientY };
  if (!drag.on) {
    if (Math.hypot(drag.at.x - drag.from.x, drag.at.y - drag.from.y) < FAR) return;
    if (event.pointerType !== "mouse") {
      forget(); // she scrolls
      return;
    }
    begin();
  }
  follow();
});

function follow() {
  const down = drag.at.y - drag.from.y + canvas.scrollTop - drag.top;
  drag.card.style.translate = `${drag.at.x - drag.from.x}px ${down}px`;
  aim(drag.at.y);
}

// At its upper and lower edge the canvas moves along.
function walk() {
  const seen = canvas.getBoundingClientRect();
  const [top, bottom] = [Math.max(seen.top, 0), Math.min(seen.bottom, innerHeight)];
  const by = drag.at.y < top + EDGE ? -STRIDE : drag.at.y > bottom - EDGE ? STRIDE : 0;
  if (!by) return;
  const before = canvas.scrollTop;
  canvas.scrollTop += by;
  if (canvas.scrollTop !== before) follow();
}

// The gap she is over: before or behind one of the other cards of the column.
function aim(y) {
  drag.over?.classList.remove("before", "behind");
  drag.over = null;
  const own = Number(drag.card.dataset.step);
  for (const other of cards(drag.card.closest(".branch"))) {
    if (other === drag.card) continue;
    const box = other.getBoundingClientRect();
    const number = Number(other.dataset.step);
    if (number < own && y < box.top + box.height / 2) {
      drag.over = drag.over ?? other;
      drag.to = Number(drag.over.dataset.step);
    }
    if (number > own && y > box.top + box.height / 2) {
      drag.over = other;
      drag.to = number;
    }
  }
  drag.over?.classList.add(drag.to < own ? "before" : "behind");
}

document.addEventListener("pointerup", (event) => {
  if (!drag || event.pointerId !== drag.pointer) return;
  const { card, on, over, to } = drag;
  forget();
  if (!on) return;
  // The click that follows would open the card.
  canvas.addEventListener("click", (click) => {
    click.preventDefault();
    click.stopImmediatePropagation();
  }, { capture: true, once: true });
  setTimeout(() => over && move(card, to));
});

document.addEventListener("pointercancel", forget);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") forget();
});
// A finger that holds a card drags it instead of the page, and asks for no menu.
canvas.addEventListener("touchmove", (event) => drag?.on && event.preventDefault(), { passive: false });
canvas.addEventListener("contextmenu", (event) => drag?.hold && event.preventDefault());
canvas.addEventListener("dragstart", (event) => event.target.closest("[data-step]") && event.preventDefault());

canvas.addEventListener("keydown", (event) => {
  const card = event.target.closest("[data-step]");
  const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!card || !by || !event.altKey) return;
  event.preventDefault();
  move(card, Number(card.dataset.step) + by);
});

// Whoever moved a card by its keys goes on from there.
if (sessionStorage.getItem(MOVED)) {
  sessionStorage.removeItem(MOVED);
  canvas.querySelector('[aria-current="true"]')?.focus({ preventScroll: true });
}
