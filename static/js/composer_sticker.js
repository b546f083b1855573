// The sticker picker: a package, a grid to choose from by mouse or arrow keys, or two numbers.
import { sticker } from "./phone_sticker.js";

export const STICKER = {
  make(card, composer, value) {
    const first = composer.state.packs[0];
    const packageId = String(value?.package ?? first.package);
    const stickerId = String(value?.id ?? first.ids[0]);
    const known = composer.state.packs.find((pack) => pack.package === packageId);
    card.querySelector("[data-pack]").value = known?.ids.includes(stickerId) ? packageId : "";
    card.querySelector("[data-package]").value = packageId;
    card.querySelector("[data-sticker]").value = stickerId;
    card.querySelector("[data-stand-in]").hidden = composer.state.stickerPictures;
    choose(card, composer, packageId, stickerId);
    fillGrid(card, composer);
    listen(card, composer);
  },
  read: (card) => ({ sticker: { package: card.dataset.package, id: card.dataset.sticker } }),
  input(card, composer, event) {
    if (event.target.matches("[data-pack]")) {
      fillGrid(card, composer);
      const pack = composer.state.packs.find((one) => one.package === event.target.value);
      if (pack) choose(card, composer, pack.package, pack.ids[0]);
      return;
    }
    const number = (name) => card.querySelector(name).value.trim();
    choose(card, composer, number("[data-package]"), number("[data-sticker]"));
  },
};

function choose(card, composer, packageId, stickerId) {
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

function listen(card, composer) {
  const grid = card.querySelector("[data-grid]");
  const take = (option) => {
    if (!option) return;
    for (const other of grid.children) other.classList.toggle("active", other === option);
    grid.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
    choose(card, composer, card.querySelector("[data-pack]").value, option.dataset.id);
    composer.changed();
  };
  grid.addEventListener("click", (event) => take(event.target.closest("[role=option]")));
  grid.addEventListener("keydown", (event) => {
    const options = [...grid.children];
    const columns = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    const ends = { Home: 0, End: options.length - 1 };
    if (step === undefined && !(event.key in ends)) return;
    event.preventDefault();
    const now = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    const next = event.key in ends ? ends[event.key] : now < 0 ? 0 : now + step;
    take(options[Math.max(0, Math.min(options.length - 1, next))]);
  });
}
