// The survey editor: cards of questions that are added, moved and taken away; the card in the chat
// and the page follow what is typed. The server draws both and says what is still wrong.
import { renderMessage } from "./phone.js";

const form = document.getElementById("survey");
const box = form.querySelector("[data-questions-box]");
const list = box.querySelector("[data-questions]");
const value = box.querySelector("[data-value]");
const undo = box.querySelector("[data-undo]");
const say = box.querySelector("[data-say]");
const state = JSON.parse(box.querySelector("[data-state]").textContent);
const PAUSE = 250;

const part = (element, name) => element.querySelector(`[data-${name}]`);
const clone = (name) => box.querySelector(`template[data-${name}]`).content.firstElementChild.cloneNode(true);
const cards = () => [...list.children];

// --- one card ---------------------------------------------------------------------------------

function makeTag(choice, name) {
  const chips = part(choice, "tags");
  if ([...chips.querySelectorAll("[data-name]")].some((chip) => chip.textContent === name)) return;
  const chip = clone("tag");
  part(chip, "name").textContent = name;
  chips.append(chip);
}

function makeChoice(card, choice = { key: "", text: "", tags: [] }) {
  const row = clone("choice");
  row.dataset.key = choice.key;
  part(row, "choice-text").value = choice.text;
  for (const tag of choice.tags) makeTag(row, tag);
  part(card, "choices").append(row);
  return row;
}

function makeCard(question) {
  const card = clone("question");
  card.dataset.key = question.key;
  part(card, "text").value = question.text;
  const type = part(card, "type");
  if (![...type.options].some((one) => one.value === question.type)) {
    type.append(new Option(state.types[question.type] ?? question.type, question.type));
  }
  type.value = question.type;
  part(card, "required").checked = question.required;
  part(card, "help").value = question.help;
  const field = part(card, "field");
  if (question.field && ![...field.options].some((one) => one.value === question.field)) {
    field.append(new Option(question.field, question.field));
  }
  field.value = question.field;
  for (const choice of question.choices) makeChoice(card, choice);
  fit(card);
  return card;
}

// Shows what this kind of question has, and gives a choice question its first rows.
function fit(card) {
  const type = part(card, "type").value;
  const chosen = state.chosen.includes(type);
  part(card, "choices-box").hidden = !chosen;
  part(card, "field-box").hidden = type !== "field";
  part(card, "known").hidden = type !== "field" && !state.known.includes(type);
  if (chosen && !part(card, "choices").children.length) {
    makeChoice(card);
    makeChoice(card);
  }
  part(card, "choices-box").querySelector("[data-do=add-choice]").hidden =
    part(card, "choices").children.length >= state.mostChoices;
}

function read(card) {
  const type = part(card, "type").value;
  const chosen = state.chosen.includes(type);
  return {
    key: card.dataset.key,
    type,
    text: part(card, "text").value,
    required: part(card, "required").checked,
    help: part(card, "help").value,
    field: type === "field" ? part(card, "field").value : "",
    choices: !chosen ? [] : [...part(card, "choices").children].map((row) => ({
      key: row.dataset.key,
      text: part(row, "choice-text").value,
      tags: [...row.querySelectorAll("[data-name]")].map((chip) => chip.textContent),
    })),
  };
}

// --- all of them ------------------------------------------------------------------------------

function changed(byHand = true) {
  const all = cards();
  value.value = JSON.stringify(all.map(read));
  all.forEach((card, index) => {
    const type = part(card, "type");
    part(card, "number").textContent = `${index + 1}. ${type.selectedOptions[0]?.text ?? ""}`;
    card.querySelector("[data-do=up]").disabled = index === 0;
    card.querySelector("[data-do=down]").disabled = index === all.length - 1;
    card.setAttribute("aria-label", part(card, "number").textContent);
  });
  part(box, "empty").hidden = all.length > 0;
  const count = part(box, "count");
  count.textContent = count.dataset.words.replace("{count}", all.length).replace("{limit}", state.most);
  for (const button of box.querySelectorAll("[data-new]")) button.disabled = all.length >= state.most;
  if (!byHand) return;
  form.dataset.changed = "1"; // so that leaving the page asks first
  form.dispatchEvent(new Event("input", { bubbles: true }));
}

let removed = null; // the last card, or choice, that was taken away, and where it stood

function remember(element) {
  removed = { element, parent: element.parentElement, before: element.nextElementSibling };
  element.remove();
  undo.hidden = false;
  say.textContent = say.dataset.removed;
}

part(box, "restore").addEventListener("click", () => {
  if (!removed) return;
  const { element, parent, before } = removed;
  parent.insertBefore(element, before?.parentElement === parent ? before : null);
  removed = null;
  undo.hidden = true;
  const card = element.closest(".question");
  fit(card);
  changed();
  part(element, element === card ? "text" : "choice-text").focus();
});

part(box, "add").addEventListener("click", (event) => {
  const type = event.target.closest("[data-new]")?.dataset.new;
  if (!type) return;
  const card = makeCard({ key: "", type, text: "", required: false, help: "", field: "", choices: [] });
  list.append(card);
  changed();
  say.textContent = say.dataset.added;
  part(card, "text").focus();
});

const DOES = {
  up: (card) => move(card, card.previousElementSibling),
  down: (card) => move(card.nextElementSibling, card, card),
  copy(card) {
    const question = read(card);
    const twin = makeCard({
      ...question, key: "", choices: question.choices.map((choice) => ({ ...choice, key: "" })),
    });
    card.after(twin);
    part(twin, "text").focus();
    part(twin, "text").select();
  },
  remove(card) {
    const next = card.nextElementSibling ?? card.previousElementSibling;
    remember(card);
    (next ? part(next, "text") : part(box, "add").querySelector("button")).focus();
  },
  "add-choice": (card) => part(makeChoice(card), "choice-text").focus(),
  "remove-choice": (card, button) => remember(button.closest(".choice")),
  untag(card, button) {
    const select = part(button.closest(".choice"), "add-tag");
    button.closest(".chip").remove();
    select?.focus();
  },
};

function move(card, before, shown = card) {
  if (!card || !before) return;
  list.insertBefore(card, before);
  say.textContent = say.dataset.moved.replace("{place}", cards().indexOf(shown) + 1);
}

list.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (!button) return;
  const card = button.closest(".question");
  DOES[button.dataset.do](card, button);
  if (card.isConnected) fit(card);
  changed();
  if (["up", "down"].includes(button.dataset.do)) (button.disabled ? part(card, "text") : button).focus();
});

list.addEventListener("change", (event) => {
  const card = event.target.closest(".question");
  if (event.target.matches("[data-add-tag]")) {
    if (event.target.value) makeTag(event.target.closest(".choice"), event.target.value);
    event.target.value = "";
  }
  fit(card);
  changed();
});
list.addEventListener("input", (event) => {
  event.stopPropagation();
  changed();
});
// Enter in a choice adds the next one, as in any list; it never sends the form.
list.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || !event.target.matches("input")) return;
  event.preventDefault();
  if (event.target.matches("[data-choice-text]")) {
    const card = event.target.closest(".question");
    if (part(card, "choices").children.length >= state.mostChoices) return;
    const row = makeChoice(card);
    event.target.closest(".choice").after(row);
    part(row, "choice-text").focus();
    fit(card);
    changed();
  }
});

// --- what is wrong: at once after a refused save, else once a question was left -------------------

const visited = new WeakSet();

function showProblems(problems, all = false) {
  cards().forEach((card, index) => {
    const mine = problems.filter((one) => one.path[0] === index).map((one) => one.sentence);
    const told = part(card, "problems");
    const shown = all || visited.has(card) ? [...new Set(mine)] : [];
    told.replaceChildren(...shown.map((sentence) => {
      const item = document.createElement("li");
      item.textContent = sentence;
      return item;
    }));
    told.hidden = !shown.length;
    card.classList.toggle("has-error", shown.length > 0);
    if (all) visited.add(card);
  });
}

list.addEventListener("focusout", (event) => {
  const card = event.target.closest(".question");
  if (!card || card.contains(event.relatedTarget) || visited.has(card)) return;
  visited.add(card);
  draw();
});

// --- the preview ------------------------------------------------------------------------------

const preview = document.querySelector("[data-preview]");
const chat = preview.querySelector("[data-msgs]");
const frame = preview.querySelector("iframe");
preview.querySelector("[value=page]").checked = true;

let timer;
let asked = 0;

async function draw() {
  const mine = ++asked;
  let answer;
  try {
    answer = await fetch(form.dataset.previewUrl, { method: "POST", body: new FormData(form) });
  } catch {
    return; // no connection: the old preview stays
  }
  if (!answer.ok || mine !== asked) return;
  const drawn = await answer.json();
  chat.replaceChildren(...drawn.messages.map((message) => renderMessage(message)));
  if (frame.srcdoc !== drawn.page) frame.srcdoc = drawn.page;
  showProblems(drawn.problems);
}

list.append(...state.questions.map(makeCard));
changed(false);
showProblems(state.problems, state.problems.length > 0);
form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(draw, PAUSE);
});
