// Stickers: LINE's picture, or a stand-in of our own.
import { element } from "./phone_bits.js";

const SVG = "http://www.w3.org/2000/svg";

export function sticker(message, options = {}) {
  const frame = element("div", "sticker");
  const name = `${message.packageId}-${message.stickerId}`;
  frame.title = name;
  if (!options.stickerPictures || !/^\d+$/.test(message.stickerId)) {
    frame.append(standIn(message));
    return frame;
  }
  const image = element("img");
  image.alt = name;
  image.loading = "lazy";
  image.src = `https://stickershop.line-scdn.net/stickershop/v1/sticker/${message.stickerId}/android/sticker.png`;
  image.addEventListener("error", () => image.replaceWith(standIn(message)), { once: true });
  frame.append(image);
  return frame;
}

// A face of our own that differs from sticker to sticker; LINE's pictures are not ours to ship.
function standIn(message) {
  const seed = [...`${message.packageId}/${message.stickerId}`].reduce(
    (sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7);
  const hue = [...String(message.packageId)].reduce((sum, letter) => sum * 7 + letter.charCodeAt(0), 0) % 360;
  const shape = (name, attributes) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const face = shape("svg", { viewBox: "0 0 100 100", "aria-hidden": "true" });
  face.append(
    shape("circle", { cx: 28, cy: 26, r: 13, fill: `hsl(${hue} 60% 72%)` }),
    shape("circle", { cx: 72, cy: 26, r: 13, fill: `hsl(${hue} 60% 72%)` }),
    shape("circle", { cx: 50, cy: 54, r: 38, fill: `hsl(${hue} 70% 80%)` }),
    shape("circle", { cx: 27, cy: 62, r: 6, fill: `hsl(${(hue + 340) % 360} 80% 76%)` }),
    shape("circle", { cx: 73, cy: 62, r: 6, fill: `hsl(${(hue + 340) % 360} 80% 76%)` }),
  );
  const stroke = { fill: "none", stroke: "#3b3330", "stroke-width": 3.5, "stroke-linecap": "round" };
  const eyes = [
    ["M36 48v4", "M64 48v4"],
    ["M32 52q4-7 8 0", "M60 52q4-7 8 0"],
    ["M32 48q4 6 8 0", "M60 48q4 6 8 0"],
    ["M36 48v4", "M60 51q4-6 8 0"],
  ][seed % 4];
  const mouth = [
    "M40 66q10 10 20 0", "M43 66q7 5 14 0", "M42 68h16", "M42 64q8 16 16 0z", "M46 69a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
  ][(seed >>> 3) % 5];
  for (const line of [...eyes, mouth]) face.append(shape("path", { ...stroke, d: line }));
  return face;
}
