// The controls of a condition's value: one choice or several, typed or picked.
import { clone, common, fill } from "./condition_words.js";

const FIND_FROM = 9; // choices before a list gets a search box
let numbers = 0;

// A value that is no longer among the choices is shown all the same: nothing changes by itself.
export function pick(select, value, label = fill(common().gone, { name: value })) {
  if (![...select.options].some((option) => option.value === value)) select.append(new Option(label, value));
  select.value = value;
}

// Each control answers with a function that reads its value; undefined = nothing yet.

export function pickOne(box, widget, value, choices) {
  const select = document.createElement("select");
  select.className = "input";
  select.setAttribute("aria-label", common().value);
  select.append(new Option(common().choose, ""));
  for (const [key, label] of choices) select.append(new Option(label, JSON.stringify(key)));
  if (value !== undefined) pick(select, JSON.stringify(value), fill(common().gone, { name: value }));
  box.append(select);
  return () => (select.value ? JSON.parse(select.value) : undefined);
}

export function pickSeveral(box, widget, value, choices) {
  const details = clone("pick");
  const options = details.querySelector("[data-options]");
  const chosen = new Set((value ?? []).map((one) => JSON.stringify(one)));
  const known = new Set(choices.map(([key]) => JSON.stringify(key)));
  const gone = (value ?? []).filter((one) => !known.has(JSON.stringify(one)));
  for (const [key, label] of [...choices, ...gone.map((one) => [one, fill(common().gone, { name: one })])]) {
    const check = document.createElement("label");
    const input = document.createElement("input");
    const word = document.createElement("span");
    check.className = "check";
    input.type = "checkbox";
    input.value = JSON.stringify(key);
    input.checked = chosen.has(input.value);
    word.textContent = label;
    check.append(input, word);
    options.append(check);
  }
  details.querySelector("[data-find]").hidden = choices.length < FIND_FROM;
  details.addEventListener("toggle", () => {
    if (details.open) details.querySelector("[data-find]:not([hidden]), input")?.focus();
  });
  details.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("input")) event.preventDefault();
    if (event.key !== "Escape" || !details.open) return;
    event.stopPropagation();
    details.open = false;
    details.querySelector("summary").focus();
  });
  details.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !details.contains(event.relatedTarget)) details.open = false;
  });
  box.append(details);
  drawChosen(details);
  return () => {
    const picked = [...options.querySelectorAll("input:checked")].map((one) => JSON.parse(one.value));
    return picked.length ? picked : undefined;
  };
}

export function drawChosen(details) {
  const words = [...details.querySelectorAll("[data-options] input:checked")]
    .map((one) => one.nextElementSibling.textContent);
  const summary = details.querySelector("[data-chosen]");
  summary.textContent = words.length ? words.join(common().list) : common().chooseSome;
  summary.classList.toggle("unchosen", !words.length);
}

export function filterOptions(find) {
  const wanted = find.value.trim().toLowerCase();
  for (const check of find.closest(".cond-pick").querySelectorAll("[data-options] .check")) {
    check.hidden = !check.textContent.toLowerCase().includes(wanted);
  }
}

export function typeOne(box, widget, value) {
  const input = typed(box, widget);
  input.type = { number: "number", date: "date" }[widget.kind] ?? "text";
  if (widget.kind === "number") {
    input.inputMode = widget.whole ? "numeric" : "decimal";
    input.step = widget.whole ? "1" : "any";
    if (widget.low !== null) input.min = widget.low;
    if (widget.high !== null) input.max = widget.high;
  }
  if (value !== undefined) input.value = value;
  suggest(box, input, widget);
  unit(box, widget);
  return () => converted(input.value, widget);
}

export function typeSeveral(box, widget, value) {
  const input = typed(box, widget);
  input.placeholder = common().several;
  if (value !== undefined) input.value = value.join(common().list);
  unit(box, widget);
  return () => {
    const words = input.value.split(/[,，、;；]/).map((word) => word.trim()).filter(Boolean);
    return words.length ? words.map((word) => converted(word, widget)) : undefined;
  };
}

function typed(box, widget) {
  const input = document.createElement("input");
  input.className = widget.kind === "number" ? "input num" : "input";
  input.setAttribute("aria-label", common().value);
  input.autocomplete = "off";
  box.append(input);
  return input;
}

function suggest(box, input, widget) {
  if (!widget.suggestions.length) return;
  const list = document.createElement("datalist");
  list.id = `condition-list-${(numbers += 1)}`;
  list.append(...widget.suggestions.map(([value, label]) => new Option(label, value)));
  input.setAttribute("list", list.id);
  box.append(list);
}

function unit(box, widget) {
  if (!widget.unit) return;
  const word = document.createElement("span");
  word.className = "unit";
  word.textContent = widget.unit;
  box.append(word);
}

// What is no number stays a text, so that the server can say what is wrong with it.
function converted(text, widget) {
  const word = text.trim();
  if (!word) return undefined;
  return widget.kind === "number" && Number.isFinite(Number(word)) ? Number(word) : word;
}
