// One row of a condition: which field, about what, which question, and its value.
import { clone, common } from "./condition_words.js";
import { pick, pickOne, pickSeveral, typeOne, typeSeveral } from "./condition_value.js";

const AMOUNT = ["at_least", "less_than"];
const SEVERAL = ["any_of", "none_of"];
const KNOWN = ["known", "unknown"];

export function newRow(editor, leaf) {
  const row = clone("row");
  const fields = row.querySelector("[data-field]");
  for (const group of common().groups) {
    const box = document.createElement("optgroup");
    box.label = group.label;
    for (const field of group.fields) box.append(new Option(field.label, field.name));
    fields.append(box);
  }
  if (!leaf) return row;
  const [name, about] = splitField(leaf.field);
  pick(fields, name);
  drawAbout(row, about);
  drawOps(row, leaf.op);
  drawValue(editor, row, leaf.value);
  if (leaf.within_days !== undefined) row.querySelector("[data-within] input").value = leaf.within_days;
  if (leaf.at_least !== undefined) row.querySelector("[data-times] input").value = leaf.at_least;
  if (leaf.salt !== undefined) {
    row.querySelector("[data-salt] input").value = leaf.salt;
    if (typeof leaf.salt === "number") row.dataset.salt = leaf.salt;
  }
  return row;
}

function splitField(field) {
  const at = String(field ?? "").indexOf(":");
  return at < 0 ? [String(field ?? ""), ""] : [field.slice(0, at), field.slice(at + 1)];
}

function fieldOf(row) {
  const name = row.querySelector("[data-field]").value;
  return common().groups.flatMap((group) => group.fields).find((field) => field.name === name);
}

function subjectOf(row) {
  const field = fieldOf(row);
  if (!field?.subjects) return field;
  const key = row.querySelector("[data-about]").value;
  return field.subjects.find((subject) => subject.key === key);
}

function drawAbout(row, key) {
  const field = fieldOf(row);
  const about = row.querySelector("[data-about]");
  about.hidden = !field?.subjects;
  about.replaceChildren(new Option(common().choose, ""));
  for (const subject of field?.subjects ?? []) about.append(new Option(subject.label, subject.key));
  if (key) pick(about, key);
}

function drawOps(row, op) {
  const subject = subjectOf(row);
  const select = row.querySelector("[data-op]");
  const others = subject?.others ?? [];
  select.hidden = !subject && !op;
  select.replaceChildren(...(subject?.ops ?? []).map(([code, word]) => new Option(word, code)));
  if (op) pick(select, op, others.find(([code]) => code === op)?.[1] ?? op);
}

export function redraw(editor, row, control) {
  const before = readRow(row);
  const words = ["data-field", "data-about", "data-op"];
  const level = words.findIndex((word) => control.hasAttribute(word));
  if (level === 0) drawAbout(row, "");
  if (level < 2) drawOps(row, null);
  drawValue(editor, row, level === 2 ? before.value : undefined);
  if (level < 2) delete row.dataset.touched;
}

function drawValue(editor, row, value) {
  const field = fieldOf(row);
  const subject = subjectOf(row);
  const op = row.querySelector("[data-op]").value;
  const box = row.querySelector("[data-value]");
  const allows = field?.allows ?? [];
  const extra = (name, shown) => {
    const label = row.querySelector(name);
    label.hidden = !shown;
    if (!shown) label.querySelector("input").value = "";
  };
  extra("[data-within]", op && allows.includes("within_days"));
  extra("[data-times]", op && allows.includes("at_least") && (!AMOUNT.includes(op) || field.name !== "fact"));
  extra("[data-salt]", op && allows.includes("salt"));
  box.replaceChildren();
  row.control = null;
  if (!op || !subject || KNOWN.includes(op)) return;
  const widget = AMOUNT.includes(op) ? subject.amount : subject.widget;
  const several = SEVERAL.includes(op);
  const given = several && value !== undefined && !Array.isArray(value) ? [value]
    : !several && Array.isArray(value) ? value[0] : value;
  let choices = subject.choices;
  if (field.name === "segment" && editor.getAttribute("without")) {
    choices = choices.filter(([name]) => name !== editor.getAttribute("without"));
  }
  const make = widget.kind === "choice" ? (several ? pickSeveral : pickOne) : several ? typeSeveral : typeOne;
  row.control = make(box, widget, given, choices);
}

export function readRow(row) {
  const [name, about] = [row.querySelector("[data-field]").value, row.querySelector("[data-about]").value];
  const isAbout = Boolean(fieldOf(row)?.subjects) || Boolean(about);
  const read = { field: isAbout ? `${name}:${about}` : name, op: row.querySelector("[data-op]").value };
  const value = row.control?.();
  if (value !== undefined) read.value = value;
  for (const [key, where] of [["within_days", "[data-within]"], ["at_least", "[data-times]"]]) {
    const given = row.querySelector(`${where} input`).value;
    if (given) read[key] = Number(given);
  }
  const salt = row.querySelector("[data-salt] input").value.trim();
  if (salt) read.salt = row.dataset.salt === salt ? Number(salt) : salt;
  return read;
}
