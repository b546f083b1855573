// Each kind of bubble: how its card starts, what it reads as, and what typing in it does.
import { CARDS } from "./composer_cards.js";
import { FILM } from "./composer_film.js";
import { RICH } from "./composer_rich.js";
import { STICKER } from "./composer_sticker.js";
import { takePictures } from "./composer_upload.js";

const EMOJI = [..."😊😄😍🥰😋🤤😎🥳🤗🙏👍👏💪✌🎉🎊🎁🎂🎈✨⭐🌟💡🔥❤🧡💚💙💜🍱🍚🍜🍗🥗🍎🍰☕🧋🍺🌞🌈☔🌙🌸🍁⏰📅📍📣📱🛒💰🎫🐻🐰🐱"];

// A part that is one choice out of a list.
function chosen(key, selector) {
  return {
    make(card, composer, value) {
      const select = card.querySelector(selector);
      card.dataset.code = value ?? "";
      if (!select || !value) return;
      if (![...select.options].some((option) => option.value === value)) {
        // Over or deleted since: it stays as written, and the check says what is wrong with it.
        select.append(new Option(value, value));
      }
      select.value = value;
    },
    read: (card) => ({ [key]: card.querySelector(selector)?.value ?? card.dataset.code }),
  };
}

const COUPON = chosen("coupon", "[data-coupon]");

export const PARTS = {
  text: {
    make(card, composer, value) {
      card.querySelector("[data-text]").value = typeof value === "string" ? value : "";
      count(card, composer);
      offerEmoji(card);
    },
    read: (card) => ({ text: card.querySelector("[data-text]").value }),
    input: (card, composer) => count(card, composer),
  },
  coupon: {
    make(card, composer, value, part) {
      COUPON.make(card, composer, value);
      const claim = card.querySelector("[data-claim]");
      if (claim) claim.checked = part?.claim === true;
      else card.dataset.claim = part?.claim === true;
    },
    read(card) {
      const claim = card.querySelector("[data-claim]")?.checked ?? card.dataset.claim === "true";
      return { ...COUPON.read(card), ...(claim && { claim: true }) };
    },
  },
  lottery: chosen("lottery", "[data-lottery]"),
  topic: chosen("topic", "[data-topic]"),
  my_page: chosen("my_page", "[data-my-page]"),
  survey: chosen("survey", "[data-survey]"),
  line_coupon: chosen("line_coupon", "[data-line-coupon]"),
  image: {
    make(card, composer, value) {
      takePictures(card.querySelector("[data-drop]"), composer, { token: value });
    },
    read: (card) => ({ image: card.querySelector("[data-drop]").dataset.token }),
  },
  sticker: STICKER,
  rich_message: RICH,
  cards: CARDS,
  video: FILM,
};

export function insertName(card, composer) {
  const fallback = card.querySelector("[data-fallback]").value.replace(/[{}|\n]/g, "").trim();
  insert(card, fallback === composer.state.fallback ? "{name}" : `{name|${fallback}}`);
}

function insert(card, words) {
  const area = card.querySelector("[data-text]");
  area.setRangeText(words, area.selectionStart, area.selectionEnd, "end");
  area.focus();
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

function offerEmoji(card) {
  const box = card.querySelector("[data-emoji]");
  const close = (event) => {
    if (event.type === "keydown" ? event.key === "Escape" : !box.contains(event.relatedTarget)) box.open = false;
  };
  box.addEventListener("toggle", () => {
    const grid = box.querySelector(".emoji-grid");
    if (!box.open || grid.children.length) return;
    grid.append(...EMOJI.map((sign) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = sign;
      button.addEventListener("click", () => {
        box.open = false;
        insert(card, sign);
      });
      return button;
    }));
  });
  box.addEventListener("focusout", close);
  box.addEventListener("keydown", close);
}

function count(card, composer) {
  // A JavaScript string is counted in UTF-16 units, just as LINE counts.
  const units = card.querySelector("[data-text]").value.length;
  const counter = card.querySelector("[data-counter]");
  counter.textContent = `${units.toLocaleString("en")} / ${composer.state.limits.text.toLocaleString("en")}`;
  counter.classList.toggle("over", units > composer.state.limits.text);
}
