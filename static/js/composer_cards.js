// Card-based messages: cards with a picture, words and up to three buttons each.
import { takePictures } from "./composer_upload.js";

const BUTTONS = 3;

export const CARDS = {
  make(card, composer, value) {
    card.cards = new Cards(card, composer, value ?? { cards: [{}] });
  },
  read: (card) => ({ cards: card.cards.json() }),
  input: (card, _composer, event) => card.cards.input(event),
};

class Cards {
  constructor(card, composer, value) {
    this.card = card;
    this.composer = composer;
    this.list = card.querySelector("[data-cards]");
    card.querySelector("[data-alt]").value = value.alt ?? "";
    for (const one of Array.isArray(value.cards) ? value.cards : []) this.add(one);
    card.addEventListener("click", (event) => this.click(event));
    this.number();
  }

  json() {
    return {
      alt: this.card.querySelector("[data-alt]").value,
      cards: [...this.list.children].map((node) => this.read(node)),
    };
  }

  read(node) {
    const one = {
      title: node.querySelector("[data-title]").value,
      text: node.querySelector("[data-card-text]").value,
      buttons: [...node.querySelector("[data-buttons]").children].map((row) => {
        const kind = row.querySelector("[data-action]").value;
        const value = row.querySelector(kind === "coupon" ? "[data-button-coupon]" : "[data-button-value]").value;
        return { label: row.querySelector("[data-label]").value, [kind]: value };
      }),
    };
    const token = node.querySelector("[data-drop]").dataset.token;
    return token ? { image: token, ...one } : one;
  }

  add(one = {}, after = null) {
    const node = this.composer.one("template[data-one-card]").content.firstElementChild.cloneNode(true);
    node.querySelector("[data-title]").value = one.title ?? "";
    node.querySelector("[data-card-text]").value = one.text ?? "";
    takePictures(node.querySelector("[data-drop]"), this.composer, { token: one.image });
    for (const button of Array.isArray(one.buttons) ? one.buttons : []) this.addButton(node, button);
    if (after) after.after(node);
    else this.list.append(node);
    return node;
  }

  addButton(node, button = {}) {
    const row = this.composer.one("template[data-card-button]").content.firstElementChild.cloneNode(true);
    const kind = ["uri", "text", "coupon", "postback"].find((one) => typeof button[one] === "string") ?? "uri";
    const action = row.querySelector("[data-action]");
    const coupons = row.querySelector("[data-button-coupon]");
    const holds = (select, value) => [...select.options].some((option) => option.value === value);
    // Closed or deleted since: it stays as written, and the check says what is wrong with it.
    if (kind === "coupon" && !holds(coupons, button.coupon)) coupons.append(new Option(button.coupon, button.coupon));
    if (!holds(action, kind)) action.append(new Option(kind, kind));
    row.querySelector("[data-label]").value = button.label ?? "";
    action.value = kind;
    if (kind === "coupon") coupons.value = button.coupon;
    else row.querySelector("[data-button-value]").value = button[kind] ?? "";
    node.querySelector("[data-buttons]").append(row);
    this.showValue(row);
    return row;
  }

  showValue(row) {
    const coupon = row.querySelector("[data-action]").value === "coupon";
    row.querySelector("[data-plain]").hidden = coupon;
    row.querySelector("[data-choice]").hidden = !coupon;
  }

  number() {
    const cards = [...this.list.children];
    const { cards: most } = this.composer.state.limits;
    cards.forEach((node, index) => {
      node.dataset.at = `cards[${index}].`;
      node.querySelector("[data-card-title]").textContent = this.composer.words.card.replace("{number}", index + 1);
      node.querySelector('[data-card-do="up"]').disabled = index === 0;
      node.querySelector('[data-card-do="down"]').disabled = index === cards.length - 1;
      node.querySelector('[data-card-do="copy"]').disabled = cards.length >= most;
      const rows = [...node.querySelector("[data-buttons]").children];
      rows.forEach((row, number) => {
        row.dataset.at = `cards[${index}].buttons[${number}].`;
      });
      node.querySelector('[data-card-do="button"]').disabled = rows.length >= BUTTONS;
    });
    this.card.querySelector('[data-card-do="add"]').disabled = cards.length >= most;
    this.card.querySelector("[data-cards-count]").textContent = this.composer.words.cards
      .replace("{count}", cards.length).replace("{limit}", most);
  }

  click(event) {
    const button = event.target.closest("[data-card-do]");
    if (!button) return;
    const node = button.closest(".one-card");
    const row = button.closest(".card-button");
    let focus = button;
    switch (button.dataset.cardDo) {
      case "add":
        focus = this.add().querySelector("[data-title]");
        break;
      case "copy":
        focus = this.add(this.read(node), node).querySelector("[data-title]");
        break;
      case "remove":
        focus = (node.nextElementSibling ?? node.previousElementSibling)?.querySelector("[data-title]")
          ?? this.card.querySelector('[data-card-do="add"]');
        node.remove();
        break;
      case "button":
        focus = this.addButton(node).querySelector("[data-label]");
        break;
      case "unbutton":
        focus = node.querySelector('[data-card-do="button"]');
        row.remove();
        break;
      case "up":
        node.previousElementSibling?.before(node);
        break;
      default:
        node.nextElementSibling?.after(node);
    }
    this.number();
    if (focus.disabled) focus = focus.parentElement.querySelector("button:not([disabled])") ?? focus;
    focus.focus();
    this.composer.changed();
  }

  input(event) {
    const row = event.target.closest(".card-button");
    if (!row) return;
    this.showValue(row);
    const value = row.querySelector("[data-button-value]");
    // Most buttons say what stands on them: the words follow the label until they are changed.
    const follows = value.value === "" || value.value === row.dataset.followed;
    if (event.target.matches("[data-label]") && row.querySelector("[data-action]").value === "text" && follows) {
      row.dataset.followed = value.value = event.target.value;
    }
  }
}
