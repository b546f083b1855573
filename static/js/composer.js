// The composer: bubbles are added, ordered and written here; the server draws the preview and says
// what is wrong, so that there is one truth about both. The hidden field carries the shop-file form.
import { Links } from "./composer_links.js";
import { renderMessage, renderQuickReplies, sticker } from "./phone.js";

const SETTLE_MS = 300;
const PREVIEW_WAIT_MS = 220;

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
    const kind = ["text", "coupon", "image", "sticker"].find((one) => one in part);
    if (kind) this.addCard(kind, part[kind]);
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
      fill(this.one("[data-problems]", node), visible.map((problem) => problem.sentence));
      node.classList.toggle("has-error", visible.length > 0);
      for (const control of node.querySelectorAll("textarea, input, select")) {
        control.toggleAttribute("aria-invalid", visible.length > 0);
      }
      const tips = hints.filter((hint) => index >= 0 && hint.part === index).map((hint) => hint.sentence);
      const tipBox = this.one("[data-tips]", node);
      if (tipBox) say(tipBox, tips.join(" "));
    }
    const about = (part) => problems.filter((problem) => problem.part === part).map((problem) => problem.sentence);
    const empty = !cards.length && !this.showAll;
    const optional = this.state.optional && !cards.length && !rows.length;
    fill(this.one("[data-whole]"), empty || optional ? [] : about(null));
    fill(this.one("[data-replies-problems]"),
      problems.filter((problem) => problem.part === cards.length && problem.field === "replies").map((problem) => problem.sentence));
    fill(this.one("[data-links-problems]"),
      problems.filter((problem) => /^(track$|links\[)/.test(problem.field)).map((problem) => problem.sentence));
    say(this.one("[data-whole-tips]"), hints.filter((hint) => hint.part === null).map((hint) => hint.sentence).join(" "));
  }

  // Bubbles ---------------------------------------------------------------------------------------

  addCard(kind, value) {
    const card = this.one(`template[data-card="${kind}"]`).content.firstElementChild.cloneNode(true);
    this.list.append(card);
    PARTS[kind].make(card, this, value);
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

  restore() {
    const { node, list, index } = this.removed;
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
    const kind = ["text", "uri", "postback"].find((one) => typeof reply[one] === "string") ?? "text";
    const optOut = kind === "postback" && reply.postback === this.state.optOut;
    this.one("[data-label]", row).value = reply.label ?? "";
    this.one("[data-action]", row).value = optOut ? "opt_out" : kind;
    this.one("[data-reply-value]", row).value = optOut ? "" : (reply[kind] ?? "");
    row.classList.toggle("fixed", optOut);
    this.replies.append(row);
    return row;
  }

  readReply(row) {
    const label = this.one("[data-label]", row).value;
    const kind = this.one("[data-action]", row).value;
    if (kind === "opt_out") return { label, postback: this.state.optOut };
    return { label, [kind]: this.one("[data-reply-value]", row).value };
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
    row.classList.toggle("fixed", kind === "opt_out");
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

function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
  node.hidden = !text;
}

// Texts -------------------------------------------------------------------------------------------

function insertName(card, composer) {
  const area = card.querySelector("[data-text]");
  const fallback = card.querySelector("[data-fallback]").value.replace(/[{}|\n]/g, "").trim();
  const written = fallback === composer.state.fallback ? "{name}" : `{name|${fallback}}`;
  area.setRangeText(written, area.selectionStart, area.selectionEnd, "end");
  area.focus();
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

function count(card, composer) {
  // A JavaScript string is counted in UTF-16 units, just as LINE counts.
  const units = card.querySelector("[data-text]").value.length;
  const counter = card.querySelector("[data-counter]");
  counter.textContent = `${units.toLocaleString("en")} / ${composer.state.limits.text.toLocaleString("en")}`;
  counter.classList.toggle("over", units > composer.state.limits.text);
}

// Pictures ------------------------------------------------------------------------------------------

async function upload(card, composer, file) {
  if (!file) return;
  const error = card.querySelector("[data-upload-error]");
  say(error, "");
  if (file.size > composer.state.limits.file) {
    say(error, composer.words.too_large);
    return;
  }
  const busy = card.querySelector("[data-busy]");
  busy.hidden = false;
  composer.uploading += 1;
  const form = new FormData();
  form.append("picture", file);
  try {
    const answer = await fetch(composer.root.dataset.uploadUrl, {
      method: "POST", headers: { "X-CSRFToken": composer.root.dataset.csrf }, body: form,
    });
    if (answer.redirected) throw new Error(composer.words.signed_out);
    const result = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(result.error || composer.words.upload_failed);
    card.dataset.token = result.token;
    showThumb(card);
    card.querySelector("[data-thumb]").alt = result.name;
  } catch (failure) {
    const known = failure instanceof TypeError ? composer.words.upload_failed : failure.message;
    say(error, known);
  } finally {
    busy.hidden = true;
    composer.uploading -= 1;
    composer.changed();
  }
}

function showThumb(card) {
  const thumb = card.querySelector("[data-thumb]");
  thumb.hidden = !card.dataset.token;
  if (card.dataset.token) thumb.src = `/media/${card.dataset.token}/preview`;
}

// Stickers ------------------------------------------------------------------------------------------

function chooseSticker(card, composer, packageId, stickerId) {
  card.dataset.package = packageId;
  card.dataset.sticker = stickerId;
  const options = { stickerPictures: composer.state.stickerPictures };
  card.querySelector("[data-chosen]").replaceChildren(sticker({ packageId, stickerId }, options));
  for (const option of card.querySelectorAll("[role=option]")) {
    option.setAttribute("aria-selected", String(option.dataset.id === stickerId));
  }
}

function fillGrid(card, composer) {
  const pack = composer.state.packs.find((one) => one.package === card.querySelector("[data-pack]").value);
  const grid = card.querySelector("[data-grid]");
  card.querySelector("[data-numbers]").hidden = Boolean(pack);
  grid.hidden = !pack;
  if (!pack) return;
  grid.replaceChildren(...pack.ids.map((id, index) => {
    const option = document.createElement("div");
    option.setAttribute("role", "option");
    option.id = `sticker-${pack.package}-${id}-${Math.random().toString(36).slice(2)}`;
    option.dataset.id = id;
    option.setAttribute("aria-label", composer.words.sticker.replace("{id}", `${index + 1}（${id}）`));
    option.setAttribute("aria-selected", String(card.dataset.package === pack.package && card.dataset.sticker === id));
    option.append(sticker({ packageId: pack.package, stickerId: id }, { stickerPictures: composer.state.stickerPictures }));
    return option;
  }));
}

function listenToGrid(card, composer) {
  const grid = card.querySelector("[data-grid]");
  const choose = (option) => {
    if (!option) return;
    for (const other of grid.children) other.classList.toggle("active", other === option);
    grid.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
    chooseSticker(card, composer, card.querySelector("[data-pack]").value, option.dataset.id);
    composer.changed();
  };
  grid.addEventListener("click", (event) => choose(event.target.closest("[role=option]")));
  grid.addEventListener("keydown", (event) => {
    const options = [...grid.children];
    const columns = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    const ends = { Home: 0, End: options.length - 1 };
    if (step === undefined && !(event.key in ends)) return;
    event.preventDefault();
    const now = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    const next = event.key in ends ? ends[event.key] : now < 0 ? 0 : now + step;
    choose(options[Math.max(0, Math.min(options.length - 1, next))]);
  });
}

// Each kind of bubble: how its card starts, what it reads as, and what typing in it does. --------------

const PARTS = {
  text: {
    make(card, composer, value) {
      card.querySelector("[data-text]").value = typeof value === "string" ? value : "";
      count(card, composer);
    },
    read: (card) => ({ text: card.querySelector("[data-text]").value }),
    input: (card, composer) => count(card, composer),
  },
  coupon: {
    make(card, composer, value) {
      const select = card.querySelector("[data-coupon]");
      card.dataset.code = value ?? "";
      if (!select || !value) return;
      if (![...select.options].some((option) => option.value === value)) {
        // Closed or deleted since: it stays as written, and the check says what is wrong with it.
        select.append(new Option(value, value));
      }
      select.value = value;
    },
    read: (card) => ({ coupon: card.querySelector("[data-coupon]")?.value ?? card.dataset.code }),
  },
  image: {
    make(card, composer, value) {
      card.dataset.token = typeof value === "string" ? value : "";
      showThumb(card);
      const drop = card.querySelector("[data-drop]");
      const file = card.querySelector("[data-file]");
      file.addEventListener("change", () => {
        upload(card, composer, file.files[0]);
        file.value = "";
      });
      for (const name of ["dragover", "dragleave", "drop"]) {
        drop.addEventListener(name, (event) => {
          event.preventDefault();
          drop.classList.toggle("over", name === "dragover");
          if (name === "drop") upload(card, composer, event.dataTransfer.files[0]);
        });
      }
    },
    read: (card) => ({ image: card.dataset.token }),
  },
  sticker: {
    make(card, composer, value) {
      const first = composer.state.packs[0];
      const packageId = String(value?.package ?? first.package);
      const stickerId = String(value?.id ?? first.ids[0]);
      const known = composer.state.packs.find((pack) => pack.package === packageId);
      card.querySelector("[data-pack]").value = known?.ids.includes(stickerId) ? packageId : "";
      card.querySelector("[data-package]").value = packageId;
      card.querySelector("[data-sticker]").value = stickerId;
      card.querySelector("[data-stand-in]").hidden = composer.state.stickerPictures;
      chooseSticker(card, composer, packageId, stickerId);
      fillGrid(card, composer);
      listenToGrid(card, composer);
    },
    read: (card) => ({ sticker: { package: card.dataset.package, id: card.dataset.sticker } }),
    input(card, composer, event) {
      if (event.target.matches("[data-pack]")) {
        fillGrid(card, composer);
        const pack = composer.state.packs.find((one) => one.package === event.target.value);
        if (pack) chooseSticker(card, composer, pack.package, pack.ids[0]);
        return;
      }
      const number = (name) => card.querySelector(name).value.trim();
      chooseSticker(card, composer, number("[data-package]"), number("[data-sticker]"));
    },
  },
};

for (const root of document.querySelectorAll("[data-composer]")) new Composer(root);
