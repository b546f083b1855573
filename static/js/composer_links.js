// The links of a message: whether taps on them are followed, and what each one means. Which addresses
// there are is the server's answer (preview); until it comes, what was said about a link is kept.

const WEB_ADDRESS = /https?:\/\/(?!(?:[\w-]+\.)*(?:line\.me|lin\.ee)\b)/i;

export class Links {
  constructor(composer) {
    this.composer = composer;
    this.box = composer.one("[data-links-box]");
    this.mode = composer.one("[data-track]");
    this.list = composer.one("[data-links]");
    this.notes = new Map();
    this.box.addEventListener("input", (event) => this.input(event));
  }

  load(part) {
    this.mode.value = part.track === "total" ? "total" : "friend";
    for (const note of Array.isArray(part.links) ? part.links : []) this.notes.set(note.url, note);
  }

  // A message whose links nobody ever followed stays so; the first link of a message is followed.
  begin(parts, shown) {
    const decided = parts.some((part) => "track" in part);
    if (!decided && shown.links?.length) this.mode.value = "off";
  }

  // What is written about the links of `parts`; null where there is nothing to say.
  json(parts) {
    const text = JSON.stringify(parts);
    if (this.mode.value === "off" || !WEB_ADDRESS.test(text)) return null;
    const said = [...this.notes.values()].filter((note) => this.here(note.url) && (note.name || note.tag));
    return said.length ? { track: this.mode.value, links: said } : { track: this.mode.value };
  }

  here(url) {
    return !this.shown || this.shown.some((link) => link.url === url);
  }

  draw(shown) {
    this.shown = shown;
    this.box.hidden = shown.length === 0;
    for (const hint of this.box.querySelectorAll("[data-track-hint]")) {
      hint.hidden = hint.dataset.trackHint !== this.mode.value;
    }
    this.list.hidden = this.mode.value === "off";
    const rows = new Map([...this.list.children].map((row) => [row.dataset.url, row]));
    if (shown.length !== rows.size || shown.some((link) => !rows.has(link.url))) {
      this.list.replaceChildren(...shown.map((link) => rows.get(link.url) ?? this.row(link)));
    }
    for (const row of this.list.children) {
      const said = this.composer.one("[data-link-tag]", row).value;
      this.composer.one("[data-link-days]", row).disabled = !said;
    }
  }

  row(link) {
    const row = this.composer.one("template[data-link]").content.firstElementChild.cloneNode(true);
    const note = this.notes.get(link.url) ?? {};
    row.dataset.url = link.url;
    const address = this.composer.one("[data-link-address]", row);
    address.textContent = link.short;
    address.title = link.url;
    this.composer.one("[data-link-name]", row).value = note.name ?? "";
    const tag = this.composer.one("[data-link-tag]", row);
    if (note.tag && ![...tag.options].some((option) => option.value === note.tag)) {
      tag.append(new Option(note.tag, note.tag));
    }
    tag.value = note.tag ?? "";
    this.composer.one("[data-link-days]", row).value = note.days ?? "";
    return row;
  }

  input(event) {
    const row = event.target.closest("[data-url]");
    if (row) {
      const value = (name) => this.composer.one(name, row).value.trim();
      const note = { url: row.dataset.url };
      if (value("[data-link-name]")) note.name = value("[data-link-name]");
      if (value("[data-link-tag]")) {
        note.tag = value("[data-link-tag]");
        const days = Number(value("[data-link-days]"));
        if (Number.isInteger(days) && days !== 0) note.days = days;
      }
      this.notes.set(note.url, note);
    }
    this.draw(this.shown ?? []);
  }
}
