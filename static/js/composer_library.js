// Templates in the composer, and the test send to one's own LINE.
import { say, send, sentenceOf } from "./composer_upload.js";

export class Library {
  constructor(composer) {
    this.composer = composer;
    this.dialog = composer.one("[data-library]");
    this.keep = composer.one("[data-keep]");
    this.says = composer.one("[data-bar-says]");
    composer.one('[data-open="library"]').addEventListener("click", () => this.open());
    composer.one('[data-open="keep"]').addEventListener("click", () => {
      say(composer.one("[data-keep-error]"), "");
      this.keep.showModal();
    });
    for (const dialog of [this.dialog, this.keep]) {
      dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
      // What is typed in a dialog is no change of the form around it.
      for (const name of ["input", "change"]) dialog.addEventListener(name, (event) => event.stopPropagation());
    }
    this.keep.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target.tagName !== "INPUT") return;
      event.preventDefault();
      this.save();
    });
    composer.one("[data-keep-save]").addEventListener("click", () => this.save());
    composer.one("[data-test]")?.addEventListener("click", (event) => this.test(event.currentTarget));
  }

  async open() {
    const { words, root } = this.composer;
    try {
      const answer = await fetch(root.dataset.templatesUrl, { headers: { Accept: "application/json" } });
      if (answer.redirected || !answer.ok) throw new Error(answer.redirected ? words.signed_out : words.failed);
      const { templates } = await answer.json();
      this.dialog.querySelector("[data-library-empty]").hidden = templates.length > 0;
      this.dialog.querySelector("[data-library-list]").replaceChildren(...templates.map((one) => this.row(one)));
      this.dialog.showModal();
    } catch (failure) {
      this.tell(sentenceOf(failure, this.composer), true);
    }
  }

  row(template) {
    const row = document.createElement("li");
    const name = document.createElement("b");
    const summary = document.createElement("span");
    const button = document.createElement("button");
    name.textContent = template.name;
    summary.className = "hint";
    summary.textContent = template.summary;
    button.type = "button";
    button.className = "btn small";
    button.textContent = this.composer.words.use;
    button.setAttribute("aria-label", `${this.composer.words.use}：${template.name}`);
    button.addEventListener("click", () => {
      this.dialog.close();
      this.composer.replaceAll(template.parts);
    });
    row.append(name, summary, button);
    return row;
  }

  async save() {
    const name = this.composer.one("[data-keep-name]");
    const error = this.composer.one("[data-keep-error]");
    try {
      const body = JSON.stringify({ name: name.value, parts: this.composer.json() });
      await send(this.composer, this.composer.root.dataset.templatesUrl, body, "application/json");
      this.keep.close();
      this.tell(this.composer.words.kept.replace("{name}", name.value.trim()));
      name.value = "";
    } catch (failure) {
      say(error, sentenceOf(failure, this.composer));
    }
  }

  async test(button) {
    if (button.disabled) return;
    button.disabled = true;
    this.tell(this.composer.words.testing);
    try {
      const body = JSON.stringify({ parts: this.composer.json() });
      const result = await send(this.composer, this.composer.root.dataset.testUrl, body, "application/json");
      this.tell(result.sentence);
    } catch (failure) {
      this.tell(sentenceOf(failure, this.composer), true);
    } finally {
      button.disabled = false;
    }
  }

  tell(sentence, wrong = false) {
    this.says.classList.toggle("bad", wrong);
    say(this.says, sentence);
  }
}
