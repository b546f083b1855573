// The composer: bubbles are added, ordered and written here; the server draws the preview and says
// what is wrong, so that there is one truth about both. The hidden field carries the shop-file form.
import { Library } from "./composer_library.js";
import { Links } from "./composer_links.js";
import { PARTS, insertName } from "./composer_parts.js";
import { renderMessage, renderQuickReplies } from "./phone.js";

const SETTLE_MS = 300;
const PREVIEW_WAIT_MS = 220;
const ASKS = ["location", "camera", "album", "date", "time", "datetime"];
const WITHOUT_VALUE = ["opt_out", "location", "camera", "album"];

class Composer {
  constructor(root) {
    this.root = root;
    this.state = JSON.parse(this.one("[data-state]").textContent);
    this.words = JSON.parse(this.one("[data-words]").textContent);
    this.value = this.one("[data-value]");
    this.list = this.one("[data-parts]");
    this.replies = this.one("[data-replies]");
    this.showAll = this.state.refused;
    this.named = true;
    this.timer = 0;
    this.asked = 0;
    this.uploading = 0;
    this.links = new Links(this);
    this.dismissed = new Set();
    this.library = new Library(this);
    for (const part of this.state.parts) this.load(part);
    if (!this.list.children.length && !this.state.optional && !this.state.refused) this.addCard("text");
    this.links.begin(this.state.parts, this.state.shown);
    this.listen();
    this.drawOrder();
    this.draw(this.state.shown);
    this.write();
    if (window.matchMedia("(max-width: 899px)").matches) this.one("[data-phone-box]").open = false;
  }

  one(selector, within = this.root) {
    return within.querySelector(selector);
  }

  // Reading and writing the JSON form -----------------------------------------------------------

  load(part) {
    if ("quick_replies" in part) {
      for (const reply of Array.isArray(part.quick_replies) ? part.quick_replies : []) this.addReply(reply);
      return;
    }
    if ("track" in part) {
      this.links.load(part);
      return;
    }
    const kind = Object.keys(PARTS).find((one) => one in part);
    if (kind) this.addCard(kind, part[kind], part);
  }

  json() {
    const parts = [...this.list.children].map((card) => PARTS[card.dataset.kind].read(card));
    const replies = [...this.replies.children].map((row) => this.readReply(row));
    if (replies.length) parts.push({ quick_replies: replies });
    const track = this.links.json(parts);
    if (track) parts.push(track);
    return parts;
  }

  write() {
    this.value.value = JSON.stringify(this.json());
  }

  changed() {
    const before = this.value.value;
    this.write();
    if (before === this.value.value) return;
    this.value.dispatchEvent(new Event("input", { bubbles: true }));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PREVIEW_WAIT_MS);
  }

  // Preview and problems ------------------------------------------------------------------------

  async ask() {
    const turn = ++this.asked;
    const body = { parts: this.json(), name: this.named ? this.state.sample : null };
    try {
      const answer = await fetch(this.root.dataset.previewUrl, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": this.root.dataset.csrf },
        body: JSON.stringify(body),
      });
      if (answer.redirected || !answer.ok) throw new Error();
      const shown = await answer.json();
      if (turn === this.asked) this.draw(shown);
      this.one("[data-stale]").hidden = true;
    } catch {
      this.one("[data-stale]").hidden = false;
    }
  }

  draw(shown) {
    this.shown = shown;
    const options = { stickerPictures: this.state.stickerPictures };
    this.one("[data-msgs]").replaceChildren(...shown.messages.map((message) => renderMessage(message, options)));
    this.one("[data-quick]").replaceChildren(...renderQuickReplies(shown.messages.at(-1), options));
    this.links.draw(shown.links ?? []);
    this.drawProblems();
  }

  drawProblems() {
    const { problems, hints } = this.shown;
    const cards = [...this.list.children];
    const rows = [...this.replies.children];
    for (const node of [...cards, ...rows]) {
      const index = cards.indexOf(node);
      const mine = problems.filter((problem) =>
        index >= 0
          ? problem.part === index
          : problem.part === cards.length && problem.field.startsWith(`replies[${rows.indexOf(node)}].`));
      const visible = this.showAll || node.dataset.touched ? mine : [];
      const here = this.drawPlaces(node, visible);
      fill(this.one("[data-problems]", node), here.map((problem) => problem.sentence));
      node.classList.toggle("has-error", visible.length > 0);
      for (const control of node.querySelectorAll("textarea, input, select")) {
        if (!control.closest("[data-at]")) control.toggleAttribute("aria-invalid", here.length > 0);
      }
      const tipBox = this.one("[data-tips]", node);
      if (tipBox) this.advise(tipBox, hints.filter((hint) => index >= 0 && hint.part === index));
    }
    const about = (part) => problems.filter((problem) => problem.part === part).map((problem) => problem.sentence);
    const empty = !cards.length && !this.showAll;
    const optional = this.state.optional && !cards.length && !rows.length;
    fill(this.one("[data-whole]"), empty || optional ? [] : about(null));
    fill(this.one("[data-replies-problems]"),
      problems.filter((problem) => problem.part === cards.length && problem.field === "replies").map((problem) => problem.sentence));
    fill(this.one("[data-links-problems]"),
      problems.filter((problem) => /^(track$|links\[)/.test(problem.field)).map((problem) => problem.sentence));
    // Advice on quick replies has no card to stand in.
    this.advise(this.one("[data-whole-tips]"), hints.filter((hint) => hint.part === null || hint.part >= cards.length));
  }

  // Puts each problem beside the area, card or button it is about; answers the rest.
  drawPlaces(node, problems) {
    const places = [...node.querySelectorAll("[data-at]")];
    const found = new Map(places.map((place) => [place, []]));
    const rest = problems.filter((problem) => {
      const inside = places.filter((place) => problem.field.startsWith(place.dataset.at));
      const place = inside.sort((one, other) => other.dataset.at.length - one.dataset.at.length)[0];
      found.get(place)?.push(problem.sentence);
      return !place;
    });
    for (const [place, sentences] of found) {
      const lists = [...place.querySelectorAll("[data-problems-here]")];
      fill(lists.find((list) => list.closest("[data-at]") === place), sentences);
      for (const control of place.querySelectorAll("textarea, input, select")) {
        if (control.closest("[data-at]") === place) control.toggleAttribute("aria-invalid", sentences.length > 0);
      }
    }
    return rest;
  }

  // Advice, each with a button that puts it aside for as long as this page is open.
  advise(list, hints) {
    const shown = hints.filter((hint) => !this.dismissed.has(hint.code));
    const key = shown.map((hint) => hint.sentence).join("\n");
    list.hidden = shown.length === 0;
    if (list.dataset.key === key) return;
    list.dataset.key = key;
    list.replaceChildren(...shown.map((hint) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "tip-close";
      button.textContent = "×";
      button.setAttribute("aria-label", `${this.words.dismiss}：${hint.sentence}`);
      button.addEventListener("click", () => {
        this.dismissed.add(hint.code);
        this.drawProblems();
        this.root.focus();
      });
      item.append(hint.sentence, button);
      return item;
    }));
  }

  // Bubbles ---------------------------------------------------------------------------------------

  addCard(kind, value, part) {
    const card = this.one(`template[data-card="${kind}"]`).content.firstElementChild.cloneNode(true);
    this.list.append(card);
    PARTS[kind].make(card, this, value, part);
    return card;
  }

  drawOrder() {
    for (const list of [this.list, this.replies]) {
      [...list.children].forEach((node, index) => {
        this.one('[data-do="up"]', node).disabled = index === 0;
        this.one('[data-do="down"]', node).disabled = index === list.children.length - 1;
        if (list === this.list) {
          node.setAttribute("aria-label", this.words.part.replace("{number}", index + 1));
        }
      });
    }
    const count = this.list.children.length;
    const { bubbles, replies } = this.state.limits;
    this.one("[data-count]").textContent = this.words.count.replace("{count}", count).replace("{limit}", bubbles);
    for (const button of this.root.querySelectorAll("[data-new]")) button.disabled = count >= bubbles;
    for (const button of this.root.querySelectorAll("[data-new-reply]")) {
      button.disabled = this.replies.children.length >= replies;
    }
    this.one("[data-empty]").hidden = count > 0;
  }

  move(node, up) {
    const other = up ? node.previousElementSibling : node.nextElementSibling;
    if (!other) return;
    if (up) other.before(node);
    else other.after(node);
    this.drawOrder();
    const button = this.one(`[data-do="${up ? "up" : "down"}"]`, node);
    (button.disabled ? this.one(`[data-do="${up ? "down" : "up"}"]`, node) : button).focus();
    const place = [...node.parentElement.children].indexOf(node) + 1;
    this.announce(this.words.moved.replace("{place}", place));
    this.changed();
  }

  remove(node) {
    const list = node.parentElement;
    this.removed = { node, list, index: [...list.children].indexOf(node) };
    const next = node.nextElementSibling ?? node.previousElementSibling;
    node.remove();
    this.drawOrder();
    this.one("[data-undo]").hidden = false;
    const target = next ? this.one('[data-do="remove"]', next) : this.one("[data-new]");
    target.focus();
    this.announce(this.words.removed);
    this.changed();
  }

  // A template takes the place of everything; what was here can be brought back.
  replaceAll(parts) {
    const before = this.json();
    this.begin(parts);
    this.removed = { parts: before };
    this.one("[data-undo]").hidden = false;
    this.announce(this.words.replaced);
    this.root.focus();
  }

  begin(parts) {
    this.list.replaceChildren();
    this.replies.replaceChildren();
    for (const part of parts) this.load(part);
    this.drawOrder();
    this.changed();
  }

  restore() {
    const { node, list, index, parts } = this.removed;
    if (parts) {
      this.one("[data-undo]").hidden = true;
      this.begin(parts);
      return;
    }
    list.insertBefore(node, list.children[index] ?? null);
    this.one("[data-undo]").hidden = true;
    this.drawOrder();
    this.one("textarea, select, input", node)?.focus();
    this.changed();
  }

  announce(text) {
    this.one("[data-say]").textContent = text;
  }

  // Quick replies ---------------------------------------------------------------------------------

  addReply(reply) {
    const row = this.one("template[data-reply]").content.firstElementChild.cloneNode(true);
    const said = ["text", "uri", "postback"].find((one) => typeof reply[one] === "string") ?? "text";
    const optOut = said === "postback" && reply.postback === this.state.optOut;
    const kind = optOut ? "opt_out" : ASKS.includes(reply.ask) ? reply.ask : said;
    this.one("[data-label]", row).value = reply.label ?? "";
    this.one("[data-action]", row).value = kind;
    this.one("[data-reply-value]", row).value = optOut ? "" : (reply[said] ?? reply.data ?? "");
    row.classList.toggle("fixed", WITHOUT_VALUE.includes(kind));
    this.replies.append(row);
    return row;
  }

  readReply(row) {
    const label = this.one("[data-label]", row).value;
    const kind = this.one("[data-action]", row).value;
    const value = this.one("[data-reply-value]", row).value;
    if (kind === "opt_out") return { label, postback: this.state.optOut };
    if (ASKS.includes(kind)) return { label, ask: kind, ...(WITHOUT_VALUE.includes(kind) || !value ? {} : { data: value }) };
    return { label, [kind]: value };
  }

  // What people do ----------------------------------------------------------------------------------

  listen() {
    this.root.addEventListener("click", (event) => this.click(event));
    this.root.addEventListener("input", (event) => {
      if (event.target === this.value) return;
      const card = event.target.closest(".part");
      if (card) PARTS[card.dataset.kind].input?.(card, this, event);
      this.inputReply(event.target);
      this.changed();
    });
    this.root.addEventListener("focusout", (event) => {
      const node = event.target.closest(".part, .reply");
      if (!node || node.dataset.touched || node.contains(event.relatedTarget)) return;
      if (event.relatedTarget === null && event.target.type === "file") return;
      node.dataset.touched = "1";
      // Not at once: a sentence appearing between press and release would move the button away.
      setTimeout(() => this.drawProblems(), SETTLE_MS);
    });
    for (const button of this.root.querySelectorAll("[data-for]")) {
      button.addEventListener("click", () => {
        this.named = button.dataset.for === "named";
        for (const other of this.root.querySelectorAll("[data-for]")) {
          other.setAttribute("aria-pressed", String(other === button));
        }
        this.ask();
      });
    }
    this.root.closest("form")?.addEventListener("submit", (event) => {
      this.write();
      // A picture on its way would be missing from what is saved.
      if (this.uploading) event.preventDefault();
    }, { capture: true });
  }

  inputReply(target) {
    const row = target.closest(".reply");
    if (!row) return;
    const kind = this.one("[data-action]", row).value;
    row.classList.toggle("fixed", WITHOUT_VALUE.includes(kind));
    const label = this.one("[data-label]", row);
    const value = this.one("[data-reply-value]", row);
    // Most buttons say what stands on them: the words follow the label until they are changed.
    if (target === label && kind === "text" && (value.value === "" || value.value === row.dataset.followed)) {
      value.value = label.value;
      row.dataset.followed = label.value;
    }
  }

  click(event) {
    const button = event.target.closest("button");
    if (!button) return;
    const node = button.closest(".part, .reply");
    if (button.dataset.new) {
      const card = this.addCard(button.dataset.new);
      this.drawOrder();
      (this.one("textarea, select, input", card) ?? this.one("button", card)).focus();
      card.scrollIntoView({ block: "nearest" });
      this.announce(this.words.added);
      this.changed();
    } else if (button.dataset.newReply) {
      const optOut = button.dataset.newReply === "opt_out";
      const row = this.addReply(optOut ? { label: button.dataset.label, postback: this.state.optOut } : {});
      this.drawOrder();
      this.one("[data-label]", row).focus();
      this.changed();
    } else if (button.dataset.do === "restore") this.restore();
    else if (button.dataset.do === "up") this.move(node, true);
    else if (button.dataset.do === "down") this.move(node, false);
    else if (button.dataset.do === "remove") this.remove(node);
    else if (button.dataset.do === "insert-name") insertName(node, this);
  }
}

function fill(list, sentences) {
  const old = [...list.children].map((item) => item.textContent);
  if (old.length === sentences.length && old.every((text, index) => text === sentences[index])) return;
  list.replaceChildren(...sentences.map((sentence) => {
    const item = document.createElement("li");
    item.textContent = sentence;
    return item;
  }));
  list.hidden = sentences.length === 0;
}

for (const root of document.querySelectorAll("[data-composer]")) new Composer(root);
