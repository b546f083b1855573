// A rich message: areas to tap are drawn on the picture by mouse, finger or keyboard, or typed as numbers.
// An area is kept in pixels of a picture 1,040 wide, as LINE counts.
import { takePictures } from "./composer_upload.js";

const WIDTH = 1040;
const GRID = 10;
const SMALLEST = 40;
const SIDES = ["x", "y", "width", "height"];
// Each layout as rows of columns: how the picture is shared out, top to bottom.
const LAYOUTS = {
  "1x1": [1], "2x1": [2], "1x2": [1, 1], "3x1": [3], "big-top": [1, 2], "2x2": [2, 2], "3x2": [3, 3],
};

export const RICH = {
  make(card, composer, value) {
    card.rich = new Rich(card, composer, value ?? {});
  },
  read: (card) => ({ rich_message: card.rich.json() }),
  input: (card, _composer, event) => card.rich.input(event),
};

class Rich {
  constructor(card, composer, value) {
    this.card = card;
    this.composer = composer;
    this.height = Number.isInteger(value.height) && value.height > 0 ? value.height : WIDTH;
    this.drop = card.querySelector("[data-drop]");
    this.board = card.querySelector("[data-board]");
    this.list = card.querySelector("[data-areas]");
    card.querySelector("[data-alt]").value = value.alt ?? "";
    takePictures(this.drop, composer, { token: value.image, wide: true, onDone: (result) => this.arrived(result) });
    for (const area of Array.isArray(value.areas) ? value.areas : []) this.add(area);
    this.show();
    card.addEventListener("click", (event) => this.click(event));
    this.board.addEventListener("pointerdown", (event) => this.press(event));
    this.board.addEventListener("keydown", (event) => this.key(event));
  }

  json() {
    return {
      image: this.drop.dataset.token, height: this.height,
      alt: this.card.querySelector("[data-alt]").value,
      areas: this.rows().map((row) => {
        const kind = row.querySelector("[data-action]").value;
        return { ...row.box, [kind]: row.querySelector("[data-area-value]").value };
      }),
    };
  }

  rows() {
    return [...this.list.children];
  }

  arrived(result) {
    const before = this.height;
    this.height = Math.round((result.height * WIDTH) / result.width);
    for (const row of this.rows()) {
      // The same place on a picture of another shape.
      const scale = this.height / before;
      this.place(row, { ...row.box, y: row.box.y * scale, height: row.box.height * scale });
    }
    this.show();
    if (!this.list.children.length) this.lay("1x1");
  }

  show() {
    const token = this.drop.dataset.token;
    this.card.querySelector("[data-rich]").hidden = !token;
    if (!token) return;
    this.board.style.aspectRatio = `${WIDTH} / ${this.height}`;
    this.card.querySelector("[data-board-picture]").src = `/media/${token}/preview`;
    this.rows().forEach((row) => this.draw(row));
  }

  // Areas ---------------------------------------------------------------------------------------

  add(area = {}) {
    const row = this.composer.one("template[data-area]").content.firstElementChild.cloneNode(true);
    const kind = ["uri", "text", "copy"].find((one) => typeof area[one] === "string") ?? "uri";
    row.querySelector("[data-action]").value = kind;
    row.querySelector("[data-area-value]").value = area[kind] ?? "";
    row.shape = document.createElement("div");
    row.shape.className = "area-box";
    row.shape.tabIndex = 0;
    row.shape.setAttribute("role", "img");
    row.shape.append(document.createElement("b"), document.createElement("i"));
    row.shape.row = row;
    this.board.append(row.shape);
    this.list.append(row);
    this.place(row, area);
    this.number();
    return row;
  }

  number() {
    this.rows().forEach((row, index) => {
      row.dataset.at = `areas[${index}].`;
      row.querySelector(".area-number").textContent = row.shape.querySelector("b").textContent = String(index + 1);
      this.draw(row);
    });
    this.card.querySelector('[data-area-do="add"]').disabled = this.list.children.length >= 50;
  }

  place(row, box) {
    const within = (value, least, most) => Math.min(most, Math.max(least, Math.round(Number(value) || 0)));
    const width = within(box.width ?? WIDTH, 1, WIDTH);
    const height = within(box.height ?? this.height, 1, this.height);
    row.box = { x: within(box.x, 0, WIDTH - width), y: within(box.y, 0, this.height - height), width, height };
    this.draw(row);
  }

  draw(row) {
    const { x, y, width, height } = row.box;
    const part = (value, whole) => `${(value * 100) / whole}%`;
    Object.assign(row.shape.style, {
      left: part(x, WIDTH), top: part(y, this.height), width: part(width, WIDTH), height: part(height, this.height),
    });
    let label = this.composer.words.area.replace("{number}", String(this.rows().indexOf(row) + 1));
    for (const side of SIDES) {
      label = label.replace(`{${side}}`, String(row.box[side]));
      const input = row.querySelector(`[data-box="${side}"]`);
      if (document.activeElement !== input) input.value = String(row.box[side]);
    }
    row.shape.setAttribute("aria-label", label);
  }

  remove(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.shape.remove();
    row.remove();
    this.number();
    (next ? next.shape : this.card.querySelector('[data-area-do="add"]')).focus();
    this.composer.changed();
  }

  lay(name) {
    const kept = this.rows();
    let index = 0;
    LAYOUTS[name].forEach((columns, level, rows) => {
      const top = Math.round((this.height * level) / rows.length);
      const bottom = Math.round((this.height * (level + 1)) / rows.length);
      for (let column = 0; column < columns; column += 1, index += 1) {
        const left = Math.round((WIDTH * column) / columns);
        const right = Math.round((WIDTH * (column + 1)) / columns);
        const box = { x: left, y: top, width: right - left, height: bottom - top };
        if (kept[index]) this.place(kept[index], box);
        else this.add(box);
      }
    });
    for (const row of kept.slice(index)) {
      row.shape.remove();
      row.remove();
    }
    this.number();
    this.composer.changed();
  }

  // What people do --------------------------------------------------------------------------------

  click(event) {
    const button = event.target.closest("button");
    if (button?.dataset.layout) this.lay(button.dataset.layout);
    else if (button?.dataset.areaDo === "remove") this.remove(button.closest(".area"));
    else if (button?.dataset.areaDo === "add") {
      const third = Math.round(this.height / 3);
      const row = this.add({ x: 340, y: third, width: 360, height: third });
      row.shape.focus();
      this.composer.changed();
    }
  }

  input(event) {
    const row = event.target.closest(".area");
    if (row && event.target.matches("[data-box]")) {
      this.place(row, { ...row.box, [event.target.dataset.box]: event.target.value });
    }
  }

  press(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    const shape = event.target.closest(".area-box");
    const start = this.point(event);
    let row = shape?.row;
    const before = row ? { ...row.box } : null;
    const resizing = event.target.tagName === "I";
    shape?.focus();
    const move = (moved) => {
      const now = this.point(moved);
      const [dx, dy] = [now.x - start.x, now.y - start.y];
      if (before && resizing) {
        this.place(row, {
          ...before,
          width: Math.min(WIDTH - before.x, Math.max(SMALLEST, snap(before.width + dx))),
          height: Math.min(this.height - before.y, Math.max(SMALLEST, snap(before.height + dy))),
        });
      } else if (before) {
        this.place(row, { ...before, x: snap(before.x + dx), y: snap(before.y + dy) });
      } else if (row || Math.hypot(dx, dy) > SMALLEST) {
        row ??= this.add();
        const box = { x: snap(Math.min(start.x, now.x)), y: snap(Math.min(start.y, now.y)) };
        this.place(row, { ...box, width: Math.max(SMALLEST, snap(Math.abs(dx))), height: Math.max(SMALLEST, snap(Math.abs(dy))) });
      }
    };
    const end = () => {
      this.board.removeEventListener("pointermove", move);
      for (const name of ["pointerup", "pointercancel"]) this.board.removeEventListener(name, end);
      if (row && !before) row.shape.focus();
      this.composer.changed();
    };
    this.board.setPointerCapture(event.pointerId);
    this.board.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) this.board.addEventListener(name, end);
  }

  point(event) {
    const frame = this.board.getBoundingClientRect();
    const along = (value, whole) => Math.min(whole, Math.max(0, value));
    return {
      x: along(((event.clientX - frame.left) * WIDTH) / frame.width, WIDTH),
      y: along(((event.clientY - frame.top) * this.height) / frame.height, this.height),
    };
  }

  key(event) {
    const row = event.target.closest(".area-box")?.row;
    if (!row) return;
    const step = { ArrowLeft: [-GRID, 0], ArrowRight: [GRID, 0], ArrowUp: [0, -GRID], ArrowDown: [0, GRID] }[event.key];
    if (event.key === "Delete" || event.key === "Backspace") this.remove(row);
    else if (!step) return;
    else if (event.shiftKey) {
      const { x, y, width, height } = row.box;
      this.place(row, {
        x, y,
        width: Math.min(WIDTH - x, Math.max(SMALLEST, width + step[0])),
        height: Math.min(this.height - y, Math.max(SMALLEST, height + step[1])),
      });
    } else this.place(row, { ...row.box, x: row.box.x + step[0], y: row.box.y + step[1] });
    event.preventDefault();
    this.composer.changed();
  }
}

function snap(value) {
  return Math.round(value / GRID) * GRID;
}
