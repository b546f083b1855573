// <condition-editor>: choosing friends by conditions, nested as deep as wanted. What can be asked,
// with which control and in which words, comes from the server's registry (the catalogue in the
// page); the server also reads the tree aloud, counts, and says what is wrong where.
import { drawChosen, filterOptions } from "./condition_value.js";
import { newRow, readRow, redraw } from "./condition_row.js";
import { clone, common, fill } from "./condition_words.js";

const SETTLE_MS = 350;
const DEEPEST = 5; // groups within groups that can be added here; the language allows more

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

customElements.define("condition-editor", ConditionEditor);
