// The sequence editor: what is typed in the panel is kept as a draft while staff type, and whoever
// goes on to another step, adds one, or publishes, keeps what she wrote. The canvas answers to arrow
// keys and stays where it was scrolled to. Without this file every change is saved by its button.

const WAIT_MS = 700;
const AGAIN_MS = 5000;
const panel = document.querySelector("[data-panel]");
const canvas = document.querySelector("[data-canvas]");
const head = document.querySelector("[data-head]");
const form = panel.querySelector("form[data-guard]");
// Name, period and priority hold at once: they are saved by their button.
const drafts = form && !("fixed" in panel.dataset) && !form.querySelector('.form-actions [type="submit"]');
const LEAVING = ".canvas, .page-actions, .step-tools, .sequence-bar, .branch-list, [data-move]";

let timer = 0;
let saving = null; // the save on its way
let pressed = false; // nothing may move under a finger
let waiting = null; // what to draw once it is lifted

// Saving ------------------------------------------------------------------------------------------

function state(name, more = "") {
  const node = head.querySelector("[data-saved]");
  if (!node) return;
  node.textContent = more || node.dataset[name === "unsaved" ? "failed" : name];
  node.classList.toggle("bad", name === "failed" || name === "offline");
}

function later(wait = WAIT_MS) {
  clearTimeout(timer);
  timer = setTimeout(() => save(), wait);
}

async function save() {
  clearTimeout(timer);
  while (saving) await saving;
  if (!drafts || !form.dataset.changed) return true;
  saving = send();
  const kept = await saving;
  saving = null;
  return kept;
}

async function send() {
  const body = new FormData(form);
  form.dataset.changed = "";
  state("saving");
  let answer;
  let told;
  try {
    // Whoever leaves the page while a word is being written keeps it.
    const keepalive = document.visibilityState === "hidden";
    answer = await fetch(form.action, { method: "POST", body, headers: { "X-Autosave": "1" }, keepalive });
    if (!answer.ok || answer.redirected) throw new Error();
    told = await answer.json();
  } catch {
    form.dataset.changed = "1";
    state("offline");
    later(AGAIN_MS);
    return false;
  }
  if (told.canvas) {
    trouble([]);
    for (const field of document.querySelectorAll("input[name=version]")) field.value = told.version;
    follow(told.name);
    draw(told);
    return true;
  }
  form.dataset.changed = form.dataset.changed || "1";
  if (told.conflict) conflict(told);
  else refused(told);
  return false;
}

function draw(told) {
  if (pressed) {
    waiting = told;
    return;
  }
  const here = document.activeElement?.closest?.("[data-place]")?.dataset.place;
  const { scrollTop, scrollLeft } = canvas;
  head.innerHTML = told.head;
  canvas.innerHTML = told.canvas;
  canvas.scrollTo(scrollLeft, scrollTop);
  if (here) canvas.querySelector(`[data-place="${here}"]`)?.focus();
  if (form.dataset.changed) state("saving");
}

// A branch without a name of its own is called what its condition says.
function follow(name) {
  const input = form.querySelector('input[name="name"]');
  if (name === null || !input) return;
  if (document.activeElement !== input) input.value = name;
  const title = panel.querySelector("[data-panel-title]");
  if (title) title.textContent = name;
}

// What is wrong -------------------------------------------------------------------------------------

function list(sentences, owner) {
  const node = document.createElement("ul");
  node.className = "error";
  node.dataset.said = owner;
  for (const sentence of sentences) {
    const item = document.createElement("li");
    item.textContent = sentence;
    node.append(item);
  }
  return node;
}

function trouble(errors, whole = []) {
  for (const old of form.querySelectorAll("ul.error[data-said], .field > ul.error")) old.remove();
  for (const field of form.querySelectorAll(".field.has-error")) {
    field.classList.remove("has-error");
    field.querySelector("[aria-invalid]")?.removeAttribute("aria-invalid");
  }
  for (const { field, sentences } of errors) {
    const control = form.querySelector(`#${CSS.escape(field)}`);
    const box = control?.closest(".field");
    // The composer and the conditions mark their own mistakes where they are.
    if (!box || control.matches("condition-editor, [data-composer]")) continue;
    box.classList.add("has-error");
    control.setAttribute("aria-invalid", "true");
    box.append(list(sentences, field));
  }
  const top = form.querySelector("[data-trouble]");
  top?.replaceChildren(...(whole.length ? [list(whole, "whole")] : []));
}

function refused({ errors = [], whole = [] }) {
  trouble(errors, whole);
  if (!whole.length && errors.every(unfinished)) {
    state("unsaved");
    return;
  }
  const first = whole[0] ?? errors[0]?.sentences[0] ?? "";
  const word = head.querySelector("[data-saved]")?.dataset.failed;
  state("failed", first ? `${word}：${first}` : word);
}

// A condition whose value is still to be chosen is no mistake yet.
function unfinished({ field }) {
  return form.querySelector(`#${CSS.escape(field)}`)?.matches("condition-editor") ?? false;
}

function conflict({ conflict: sentence, version }) {
  state("failed");
  const box = document.createElement("div");
  box.className = "banner warn";
  box.setAttribute("role", "alert");
  const words = document.createElement("p");
  words.textContent = sentence;
  const mine = button(panel.dataset.keepMine, () => {
    for (const field of document.querySelectorAll("input[name=version]")) field.value = version;
    form.dataset.changed = "1";
    box.remove();
    save();
  });
  const theirs = button(panel.dataset.takeTheirs, () => {
    form.dataset.changed = "";
    location.reload();
  });
  box.append(words, mine, theirs);
  form.querySelector("[data-trouble]").replaceChildren(box);
}

function button(label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "btn small";
  made.textContent = label;
  made.addEventListener("click", act);
  return made;
}

// Going on keeps what was written ----------------------------------------------------------------------

async function keepThen(event, go) {
  if (!drafts || (!form.dataset.changed && !saving)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (await save()) go();
  else (form.querySelector("[aria-invalid=true], [data-trouble] button") ?? form).focus?.();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link?.closest(LEAVING) || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  keepThen(event, () => location.assign(link.href));
}, { capture: true });

document.addEventListener("submit", (event) => {
  const sent = event.target;
  if (sent === form && drafts) {
    event.preventDefault();
    event.stopImmediatePropagation();
    save();
    return;
  }
  if (!sent.closest(LEAVING)) return;
  keepThen(event, () => {
    // The canvas was drawn anew while saving: the same button is another one now.
    const now = sent.isConnected ? sent : same(sent);
    if (now) now.requestSubmit();
    else location.reload();
  });
}, { capture: true });

function same(old) {
  const key = (one) => [...new FormData(one)].filter(([name]) => !["csrf_token", "version"].includes(name)).join("&");
  return [...document.forms].find((one) => one.action === old.action && key(one) === key(old));
}

form?.addEventListener("input", () => {
  if (!drafts) return;
  state("saving");
  later();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") save();
});

for (const [kind, down] of [["pointerdown", true], ["pointerup", false], ["pointercancel", false]]) {
  document.addEventListener(kind, () => {
    pressed = down;
    if (!down && waiting) setTimeout(() => {
      const told = waiting;
      waiting = null;
      if (told) draw(told);
    });
  }, { capture: true });
}

// The canvas -----------------------------------------------------------------------------------------

const KEPT = `canvas:${location.pathname}`;
const was = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
if (was) canvas.scrollTo(was.left, was.top);
const chosen = canvas.querySelector("[aria-current]");
if (chosen) {
  const inside = canvas.getBoundingClientRect();
  const box = chosen.getBoundingClientRect();
  if (box.top < inside.top) canvas.scrollTop -= inside.top - box.top + 24;
  if (box.bottom > inside.bottom) canvas.scrollTop += box.bottom - inside.bottom + 24;
  if (box.left < inside.left) canvas.scrollLeft -= inside.left - box.left + 24;
  if (box.right > inside.right) canvas.scrollLeft += box.right - inside.right + 24;
}
window.addEventListener("pagehide", () => {
  sessionStorage.setItem(KEPT, JSON.stringify({ left: canvas.scrollLeft, top: canvas.scrollTop }));
});

// Arrow keys walk from card to card: down and up in a column, left and right between branches.
canvas.addEventListener("keydown", (event) => {
  const here = event.target.closest("[data-place]");
  const by = { ArrowDown: [0, 1], ArrowUp: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
  if (!here || !by || event.altKey || event.ctrlKey || event.metaKey) return;
  const target = beside(here, ...by);
  if (!target) return;
  event.preventDefault();
  target.focus();
});

function beside(here, across, along) {
  const column = here.closest(".branch");
  if (along) {
    const all = column
      ? [...canvas.querySelectorAll(".flow > [data-place], .split-bar [data-place]"), ...column.querySelectorAll("[data-place]")]
      : [...canvas.querySelectorAll("[data-place]")];
    return all[all.indexOf(here) + along];
  }
  if (!column) return null;
  const next = across < 0 ? column.previousElementSibling : column.nextElementSibling;
  const mine = [...column.querySelectorAll("[data-place]")].indexOf(here);
  const theirs = [...(next?.querySelectorAll("[data-place]") ?? [])];
  return theirs[Math.min(mine, theirs.length - 1)];
}

// Undo and redo by keys, where no field takes them for itself.
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.target.closest("input, textarea, select")) return;
  const key = event.key.toLowerCase();
  const path = key === "y" || (key === "z" && event.shiftKey) ? "redo" : key === "z" ? "undo" : "";
  const walk = path && head.querySelector(`form[action$="/${path}/"]`);
  if (!walk || walk.querySelector("button").disabled) return;
  event.preventDefault();
  walk.requestSubmit();
});

// A step without a message starts with a text to write into; choosing something else instead takes it
// away again.
if (drafts && form.querySelector("[data-composer]") && !form.querySelector("[data-parts] > *")) {
  form.querySelector('[data-new="text"]')?.click();
  const blank = form.querySelector("[data-parts] > .part");
  form.querySelector("[data-add]")?.addEventListener("click", (event) => {
    if (event.target.closest("[data-new]") && !blank.querySelector("textarea").value) blank.remove();
  }, { capture: true });
}

// So does a branch that is for nobody yet, with a condition to choose.
const conditions = drafts && form.querySelector("condition-editor:not([empty-is])");
if (conditions && !conditions.querySelector("[data-items] > *")) {
  conditions.querySelector('[data-do="add"]')?.click();
  form.dataset.changed = "";
  clearTimeout(timer);
}

// A source that is ticked says "only these sources" by itself.
form?.addEventListener("change", (event) => {
  if (event.target.name !== "sources") return;
  const chosenSources = form.querySelector('input[name="who"][value="chosen"]');
  if (chosenSources && event.target.checked) chosenSources.checked = true;
});
