// <condition-editor>: choosing friends by conditions, nested as deep as wanted. What can be asked,
// with which control and in which words, comes from the server's registry (the catalogue in the
// page); the server also reads the tree aloud, counts, and says what is wrong where.
const SETTLE_MS = 350;
const DEEPEST = 5; // groups within groups that can be added here; the language allows more
const FIND_FROM = 9; // choices before a list gets a search box
const AMOUNT = ["at_least", "less_than"];
const SEVERAL = ["any_of", "none_of"];
const KNOWN = ["known", "unknown"];

let shared = null;
const common = () => (shared ??= JSON.parse(document.querySelector("[data-condition-words]").textContent));
const clone = (name) =>
  document.querySelector(`template[data-condition="${name}"]`).content.firstElementChild.cloneNode(true);
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
let numbers = 0;

class ConditionEditor extends HTMLElement {
  connectedCallback() {
    if (this.tree) return; // moved within the page
    this.hidden_ = this.querySelector('input[type="hidden"]') ?? this.appendChild(newHidden());
    this.start(this.hidden_.value);
    const shell = document.querySelector('template[data-condition="editor"]').content.cloneNode(true);
    this.append(shell);
    this.tree = this.querySelector("[data-tree]");
    this.setAttribute("role", "group");
    if (this.getAttribute("label")) this.setAttribute("aria-label", this.getAttribute("label"));
    this.problems = [];
    this.showAll = this.hasAttribute("refused");
    this.draw();
    this.addEventListener("input", (event) => this.typed(event));
    this.addEventListener("change", (event) => this.typed(event));
    this.addEventListener("click", (event) => this.clicked(event));
    new IntersectionObserver((seen, watcher) => {
      if (!seen.some((one) => one.isIntersecting)) return;
      watcher.disconnect();
      this.ask();
    }).observe(this);
  }

  start(text) {
    try {
      this.stored = JSON.parse(text || '{"all":[]}') ?? { all: [] };
    } catch {
      this.stored = { all: [] };
    }
  }

  get value() {
    return this.tree ? JSON.parse(this.hidden_.value || '{"all":[]}') : (this.given ?? { all: [] });
  }

  set value(tree) {
    this.given = tree;
    if (!this.tree) {
      const hidden = this.querySelector('input[type="hidden"]') ?? this.appendChild(newHidden());
      hidden.value = JSON.stringify(tree);
      return;
    }
    this.hidden_.value = JSON.stringify(tree);
    this.start(this.hidden_.value);
    this.draw();
    this.ask();
  }

  showProblems() {
    this.showAll = true;
    this.drawProblems();
  }

  // Drawing ---------------------------------------------------------------------------------------

  draw() {
    const [mode, items] = asGroup(this.stored) ?? ["all", [this.stored]];
    this.tree.replaceChildren(this.group(mode, items, 0));
    this.arrange();
  }

  group(mode, items, depth) {
    const node = clone("group");
    node.dataset.depth = depth;
    node.querySelector("[data-mode]").value = mode;
    node.querySelector('[data-do="add-group"]').hidden = depth + 1 >= DEEPEST;
    node.querySelector('[data-do="drop-group"]').hidden = depth === 0;
    const list = node.querySelector("[data-items]");
    for (const item of items) list.append(this.item(item, depth + 1));
    return node;
  }

  item(tree, depth) {
    const group = asGroup(tree);
    if (!group) return newRow(this, tree);
    const holder = document.createElement("li");
    holder.append(this.group(...group, depth));
    return holder;
  }

  arrange() {
    for (const group of this.tree.querySelectorAll(".cond-group")) {
      const mode = group.querySelector("[data-mode]");
      const empty = group.querySelector(":scope > [data-empty]");
      const list = group.querySelector(":scope > [data-items]");
      group.dataset.mode = mode.value;
      group.setAttribute("aria-label", mode.selectedOptions[0].text);
      const means = this.getAttribute("empty-is");
      empty.textContent = means && group.dataset.depth === "0" && mode.value === "all"
        ? fill(common().emptyMeans, { who: means }) : common().emptyAll;
      empty.hidden = list.children.length > 0;
    }
  }

  // Reading ---------------------------------------------------------------------------------------

  read() {
    this.places = new Map();
    return readGroup(this.tree.firstElementChild, [], this.places);
  }

  changed() {
    const text = JSON.stringify(this.read());
    this.arrange();
    if (text === this.hidden_.value) return;
    this.querySelector("[data-refusal]")?.parentElement.remove();
    this.hidden_.value = text;
    this.hidden_.dispatchEvent(new Event("input", { bubbles: true }));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), SETTLE_MS);
  }

  // Events ----------------------------------------------------------------------------------------

  typed(event) {
    if (event.target === this.hidden_) return;
    const row = event.target.closest(".cond-row");
    if (event.target.matches("[data-find]")) return filterOptions(event.target);
    if (row && event.target.matches("[data-field], [data-about], [data-op]")) {
      if (event.type === "change") redraw(this, row, event.target);
    }
    if (row && event.type === "change" && row.querySelector("[data-value]").contains(event.target)) {
      row.dataset.touched = "1";
    }
    if (event.target.closest(".cond-pick")) drawChosen(event.target.closest(".cond-pick"));
    this.changed();
  }

  clicked(event) {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    const group = button.closest(".cond-group");
    const list = group.querySelector(":scope > [data-items]");
    const depth = Number(group.dataset.depth);
    let focus = null;
    if (button.dataset.do === "add") {
      const row = newRow(this, null);
      list.append(row);
      focus = row.querySelector("[data-field]");
    } else if (button.dataset.do === "add-group") {
      const inner = this.item({ [group.dataset.mode === "any" ? "all" : "any"]: [] }, depth + 1);
      inner.querySelector("[data-items]").append(newRow(this, null));
      list.append(inner);
      focus = inner.querySelector("[data-field]");
    } else {
      const gone = button.closest(button.dataset.do === "drop" ? ".cond-row" : "li");
      const home = gone.parentElement;
      focus = (gone.previousElementSibling ?? gone.nextElementSibling)?.querySelector("select") ??
        home.parentElement.querySelector(':scope > .cond-add [data-do="add"]');
      gone.remove();
    }
    focus?.focus();
    this.changed();
  }

  // The server's answer ---------------------------------------------------------------------------

  async ask() {
    this.asking?.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    const tree = this.read();
    const places = this.places;
    const counts = !this.hasAttribute("no-count");
    const said = this.querySelector("[data-count]");
    if (counts) said.classList.add("waiting");
    if (counts && !said.textContent) said.textContent = common().counting;
    try {
      const answer = await fetch(common().ask, {
        method: "POST", signal,
        headers: { "Content-Type": "application/json", "X-CSRFToken": common().csrf },
        body: JSON.stringify({ tree, count: counts }),
      });
      if (answer.redirected) throw new Error(common().signedOut);
      const told = await answer.json();
      if (told.error) throw new Error(told.error);
      this.problems = told.problems;
      this.rowProblems = told.problems.map((problem) => [rowAt(problem.path, places), problem.sentence]);
      this.say(told.sentence ? fill(common().reads, { what: told.sentence }) : "",
        told.problems.length ? common().unfinished : told.told ? fill(common().match, { told: told.told }) : "");
      this.dataset.count = told.count ?? "";
      this.drawProblems();
      this.dispatchEvent(new CustomEvent("told", { bubbles: true, detail: told }));
    } catch (error) {
      if (error.name === "AbortError") return;
      this.say("", error instanceof TypeError || error instanceof SyntaxError ? common().offline : error.message);
    }
  }

  say(sentence, count) {
    const line = this.querySelector("[data-count]");
    this.querySelector("[data-sentence]").textContent = sentence;
    line.textContent = count;
    line.classList.remove("waiting");
  }

  drawProblems() {
    const whole = [];
    const byRow = new Map();
    for (const [row, sentence] of this.rowProblems ?? []) {
      if (!row) whole.push(sentence);
      else byRow.set(row, [...(byRow.get(row) ?? []), sentence]);
    }
    for (const row of this.tree.querySelectorAll(".cond-row")) {
      const shown = this.showAll || row.dataset.touched ? (byRow.get(row) ?? []) : [];
      listOut(row.querySelector("[data-problems]"), shown);
      row.classList.toggle("has-error", shown.length > 0);
      for (const control of row.querySelectorAll("[data-value] input, [data-value] select")) {
        if (shown.length) control.setAttribute("aria-invalid", "true");
        else control.removeAttribute("aria-invalid");
      }
    }
    listOut(this.querySelector("[data-whole]"), whole);
    // What the server refused is marked at its place now; on top it would be said twice.
    if (byRow.size) this.querySelector("[data-refusal]")?.parentElement.remove();
  }
}

function newHidden() {
  const made = document.createElement("input");
  made.type = "hidden";
  made.value = '{"all":[]}';
  return made;
}

function listOut(list, sentences) {
  list.hidden = !sentences.length;
  if ([...list.children].map((one) => one.textContent).join() === sentences.join()) return;
  list.replaceChildren(...sentences.map((sentence) => {
    const line = document.createElement("li");
    line.textContent = sentence;
    return line;
  }));
}

// Trees -------------------------------------------------------------------------------------------

function asGroup(tree) {
  if (Array.isArray(tree?.all)) return ["all", tree.all];
  if (Array.isArray(tree?.any)) return ["any", tree.any];
  if (!tree || typeof tree !== "object" || !("not" in tree)) return null;
  if (Array.isArray(tree.not?.any)) return ["none", tree.not.any];
  if (Array.isArray(tree.not?.all)) return ["notall", tree.not.all];
  return ["none", [tree.not]];
}

function readGroup(group, path, places) {
  const mode = group.querySelector("[data-mode]").value;
  const items = [...group.querySelector(":scope > [data-items]").children];
  const one = (item, here) => {
    const inner = item.querySelector(":scope > .cond-group");
    if (inner) return readGroup(inner, here, places);
    places.set(here.join("/"), item);
    return readRow(item);
  };
  if (mode === "none" && items.length === 1) return { not: one(items[0], [...path, "not"]) };
  const key = mode === "all" || mode === "notall" ? "all" : "any";
  const inside = mode === key ? [...path, key] : [...path, "not", key];
  const read = { [key]: items.map((item, index) => one(item, [...inside, index])) };
  return mode === key ? read : { not: read };
}

function rowAt(path, places) {
  for (let end = path.length; end > 0; end -= 1) {
    const row = places.get(path.slice(0, end).join("/"));
    if (row) return row;
  }
  return null;
}

// Rows --------------------------------------------------------------------------------------------

function newRow(editor, leaf) {
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

// A value that is no longer among the choices is shown all the same: nothing changes by itself.
function pick(select, value, label = fill(common().gone, { name: value })) {
  if (![...select.options].some((option) => option.value === value)) select.append(new Option(label, value));
  select.value = value;
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

function redraw(editor, row, control) {
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
  extra("[data-times]", op && allows.includes("at_least") && !AMOUNT.includes(op));
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

// Each control answers with a function that reads its value; undefined = nothing yet.

function pickOne(box, widget, value, choices) {
  const select = document.createElement("select");
  select.className = "input";
  select.setAttribute("aria-label", common().value);
  select.append(new Option(common().choose, ""));
  for (const [key, label] of choices) select.append(new Option(label, JSON.stringify(key)));
  if (value !== undefined) pick(select, JSON.stringify(value), fill(common().gone, { name: value }));
  box.append(select);
  return () => (select.value ? JSON.parse(select.value) : undefined);
}

function pickSeveral(box, widget, value, choices) {
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

function drawChosen(details) {
  const words = [...details.querySelectorAll("[data-options] input:checked")]
    .map((one) => one.nextElementSibling.textContent);
  const summary = details.querySelector("[data-chosen]");
  summary.textContent = words.length ? words.join(common().list) : common().chooseSome;
  summary.classList.toggle("unchosen", !words.length);
}

function filterOptions(find) {
  const wanted = find.value.trim().toLowerCase();
  for (const check of find.closest(".cond-pick").querySelectorAll("[data-options] .check")) {
    check.hidden = !check.textContent.toLowerCase().includes(wanted);
  }
}

function typeOne(box, widget, value) {
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

function typeSeveral(box, widget, value) {
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

function readRow(row) {
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

customElements.define("condition-editor", ConditionEditor);
