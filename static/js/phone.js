// Draws LINE message objects as a phone shows them: texts, stickers, pictures, Flex bubbles.
// Everything is made with createElement and textContent; data never becomes markup.
//
// renderMessage(message, options)       -> element
// renderQuickReplies(message, options)  -> array of buttons
// options.onAction(action)   what a tap does; without it buttons are shown but do nothing
// options.mapUrl(url)        another address for a picture (the demo's public address)
// options.stickerPictures    fetch stickers from LINE instead of drawing a stand-in

const TEXT_SIZES = { xxs: 10, xs: 11, sm: 12, md: 14, lg: 16, xl: 19, xxl: 24, "3xl": 30, "4xl": 38, "5xl": 50 };
const GAPS = { none: 0, xs: 2, sm: 4, md: 7, lg: 10, xl: 13, xxl: 17 };
const PICTURES = { xxs: 32, xs: 48, sm: 64, md: 80, lg: 96, xl: 112, xxl: 128, "3xl": 144, "4xl": 160, "5xl": 176 };
const BORDERS = { none: 0, light: 0.5, normal: 1, medium: 2, "semi-bold": 3, bold: 4 };
const BUBBLES = { nano: 110, micro: 140, deca: 190, hecto: 212, kilo: 236, mega: 250, giga: 264 };
const ALIGN = { start: "left", center: "center", end: "right" };
const GRAVITY = { top: "flex-start", center: "center", bottom: "flex-end" };
const FLEX_ENDS = { "flex-start": "flex-start", "flex-end": "flex-end", start: "flex-start", end: "flex-end" };
const COLOUR = /^#([0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})$/i;
const LENGTH = /^\d+(\.\d+)?(px|%)$/;
const ANGLE = /^\d+(\.\d+)?deg$/;
const ADDRESS = /(https?:\/\/[^\s<>"']+)/;
const DEEPEST = 12;
const SVG = "http://www.w3.org/2000/svg";

export function renderMessage(message, options = {}) {
  switch (message?.type) {
    case "text":
    case "textV2":
      return text(message, options);
    case "sticker":
      return sticker(message, options);
    case "image":
      return picture(message, options);
    case "flex":
      return flexMessage(message, options);
    default:
      return element("div", "bub other", message?.altText || message?.title || `[${message?.type ?? "?"}]`);
  }
}

export function renderQuickReplies(message, options = {}) {
  return list(message?.quickReply?.items).map((item) => {
    const button = element("button", "", item.action?.label ?? "");
    button.type = "button";
    tappable(button, item.action, options);
    return button;
  });
}

function element(name, className = "", words) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (words !== undefined) made.textContent = words;
  return made;
}

function list(value) {
  return Array.isArray(value) ? value : [];
}

function text(message, options) {
  const bubble = element("div", "bub");
  String(message.text ?? "").split(ADDRESS).forEach((piece, index) => {
    if (index % 2 === 0) {
      bubble.append(piece);
      return;
    }
    const link = element(options.onAction ? "button" : "span", "address", piece);
    if (options.onAction) link.type = "button";
    tappable(link, { type: "uri", uri: piece }, options);
    bubble.append(link);
  });
  return bubble;
}

function picture(message, options) {
  const frame = element("div", "pic");
  const image = imageFrom(message.previewImageUrl, options);
  if (image) frame.append(image);
  tappable(frame, { type: "uri", uri: message.originalContentUrl }, options);
  return frame;
}

function imageFrom(url, options) {
  const address = options.mapUrl ? options.mapUrl(String(url)) : String(url ?? "");
  if (!/^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost)[:/]|\/(?!\/)|blob:)/.test(address)) return null;
  const image = element("img");
  image.alt = "";
  image.loading = "lazy";
  image.src = address;
  return image;
}

// Stickers ------------------------------------------------------------------------------------

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

// Flex ----------------------------------------------------------------------------------------

function flexMessage(message, options) {
  const contents = message.contents;
  let made;
  if (contents?.type === "carousel") {
    made = element("div", "flex-row");
    made.tabIndex = 0;
    made.setAttribute("role", "group");
    for (const one of list(contents.contents)) made.append(bubble(one, options));
  } else {
    made = bubble(contents, options);
  }
  made.setAttribute("aria-label", message.altText ?? "");
  if (!made.hasAttribute("role")) made.setAttribute("role", "group");
  return made;
}

function bubble(contents, options) {
  const card = element("div", "flex");
  card.style.width = `${BUBBLES[contents?.size] ?? BUBBLES.mega}px`;
  for (const block of ["header", "hero", "body", "footer"]) {
    const content = contents?.[block];
    if (!content) continue;
    const style = contents.styles?.[block] ?? {};
    const place = element("div", `block ${block}`);
    if (style.separator) place.classList.add("line");
    paint(place, style.backgroundColor);
    const drawn = component(content, options, { horizontal: false }, 0);
    if (drawn) place.append(drawn);
    card.append(place);
  }
  tappable(card, contents?.action, options);
  return card;
}

function component(node, options, parent, depth) {
  if (!node || depth > DEEPEST) return null;
  const draw = { box, text: words, button, image, separator, icon, video, filler: space, spacer: space }[node.type];
  if (!draw) return null;
  const made = draw(node, options, parent, depth);
  place(made, node, parent);
  return made;
}

function box(node, options, _parent, depth) {
  const made = element("div", "fx-box");
  const horizontal = node.layout === "horizontal" || node.layout === "baseline";
  made.style.flexDirection = horizontal ? "row" : "column";
  if (node.layout === "baseline") made.style.alignItems = "baseline";
  made.style.gap = gap(node.spacing);
  if (node.justifyContent) made.style.justifyContent = FLEX_ENDS[node.justifyContent] ?? node.justifyContent;
  if (node.alignItems) made.style.alignItems = FLEX_ENDS[node.alignItems] ?? node.alignItems;
  for (const side of ["width", "height", "maxWidth", "maxHeight"]) made.style[side] = size(node[side]);
  paint(made, node.backgroundColor);
  const background = node.background;
  if (background?.type === "linearGradient" && ANGLE.test(background.angle ?? "")) {
    const stops = [background.startColor, background.centerColor, background.endColor].filter((one) => COLOUR.test(one ?? ""));
    if (stops.length > 1) made.style.background = `linear-gradient(${background.angle}, ${stops.join(", ")})`;
  }
  if (COLOUR.test(node.borderColor ?? "")) {
    made.style.border = `${BORDERS[node.borderWidth] ?? (parseFloat(node.borderWidth) || 1)}px solid ${node.borderColor}`;
  }
  if (node.cornerRadius) {
    made.style.borderRadius = gap(node.cornerRadius);
    made.style.overflow = "hidden";
  }
  pad(made, node);
  for (const inner of list(node.contents)) {
    const drawn = component(inner, options, { horizontal }, depth + 1);
    if (drawn) made.append(drawn);
  }
  tappable(made, node.action, options);
  return made;
}

function words(node, options) {
  const made = element("div", "fx-text");
  dress(made, node);
  made.style.textAlign = ALIGN[node.align] ?? "";
  if (node.lineSpacing) made.style.lineHeight = `calc(1.35em + ${size(node.lineSpacing) || "0px"})`;
  if (!node.wrap) made.classList.add("one-line");
  else if (node.maxLines > 0) {
    made.classList.add("clamped");
    made.style.webkitLineClamp = String(Number(node.maxLines) || 1);
  }
  if (list(node.contents).length) {
    for (const span of node.contents) {
      const piece = element("span", "", span.text ?? "");
      dress(piece, span);
      made.append(piece);
    }
  } else {
    made.textContent = node.text ?? "";
  }
  tappable(made, node.action, options);
  return made;
}

function dress(made, node) {
  if (node.size) made.style.fontSize = TEXT_SIZES[node.size] ? `${TEXT_SIZES[node.size]}px` : size(node.size);
  if (COLOUR.test(node.color ?? "")) made.style.color = node.color;
  if (node.weight === "bold") made.style.fontWeight = "700";
  if (node.style === "italic") made.style.fontStyle = "italic";
  if (["underline", "line-through"].includes(node.decoration)) made.style.textDecoration = node.decoration;
}

function button(node, options) {
  const made = element("button", `fx-button ${node.style === "primary" || node.style === "secondary" ? node.style : "plain"}`, node.action?.label ?? "");
  made.type = "button";
  if (node.height === "sm") made.classList.add("low");
  if (COLOUR.test(node.color ?? "")) made.style[node.style === "primary" || node.style === "secondary" ? "background" : "color"] = node.color;
  tappable(made, node.action, options);
  return made;
}

function image(node, options) {
  const made = element("div", "fx-image");
  const wide = node.size === "full" ? "100%" : PICTURES[node.size] ? `${PICTURES[node.size]}px` : size(node.size);
  made.style.width = wide || `${PICTURES.md}px`;
  const [width, height] = String(node.aspectRatio ?? "1:1").split(":").map(Number);
  if (width > 0 && height > 0) made.style.aspectRatio = `${width} / ${height}`;
  paint(made, node.backgroundColor);
  const drawn = imageFrom(node.url, options);
  if (drawn) {
    drawn.style.objectFit = node.aspectMode === "cover" ? "cover" : "contain";
    made.append(drawn);
  }
  if (ALIGN[node.align]) made.style.alignSelf = GRAVITY[{ start: "top", center: "center", end: "bottom" }[node.align]];
  else made.style.alignSelf = "center";
  tappable(made, node.action, options);
  return made;
}

function icon(node, options) {
  const made = imageFrom(node.url, options) ?? element("span");
  made.classList.add("fx-icon");
  const side = TEXT_SIZES[node.size] ?? TEXT_SIZES.md;
  made.style.height = `${side}px`;
  return made;
}

function video(node, options) {
  return image({ url: node.previewUrl, size: "full", aspectRatio: node.aspectRatio, aspectMode: "cover", action: node.action }, options);
}

function separator(node, _options, parent) {
  const made = element("div", parent.horizontal ? "fx-line upright" : "fx-line");
  paint(made, node.color);
  return made;
}

function space() {
  return element("div", "fx-space");
}

function place(made, node, parent) {
  const share = Number.isInteger(node.flex) ? node.flex : null;
  const grows = parent.horizontal && !["icon", "separator", "spacer"].includes(node.type) && !node.width;
  made.style.flex = share === null ? (grows ? "1 1 0" : "0 0 auto") : share === 0 ? "0 0 auto" : `${share} ${share} 0`;
  if (node.margin) made.style[parent.horizontal ? "marginLeft" : "marginTop"] = gap(node.margin);
  if (GRAVITY[node.gravity] && parent.horizontal) made.style.alignSelf = GRAVITY[node.gravity];
  if (node.position === "absolute") {
    made.style.position = "absolute";
    for (const side of ["top", "bottom", "left", "right"]) made.style[side] = gap(node[`offset${side[0].toUpperCase()}${side.slice(1)}`]);
    if (node.offsetStart) made.style.left = gap(node.offsetStart);
    if (node.offsetEnd) made.style.right = gap(node.offsetEnd);
  }
}

function pad(made, node) {
  made.style.padding = gap(node.paddingAll);
  const sides = { paddingTop: "paddingTop", paddingBottom: "paddingBottom", paddingStart: "paddingLeft", paddingEnd: "paddingRight" };
  for (const [name, property] of Object.entries(sides)) if (node[name]) made.style[property] = gap(node[name]);
}

function gap(value) {
  if (value === undefined) return "";
  return value in GAPS ? `${GAPS[value]}px` : size(value);
}

function size(value) {
  return LENGTH.test(value ?? "") ? value : "";
}

function paint(made, colour) {
  if (COLOUR.test(colour ?? "")) made.style.background = colour;
}

function tappable(made, action, options) {
  if (!action || !action.type) return;
  if (!options.onAction) {
    if (made.tagName === "BUTTON") made.tabIndex = -1;
    return;
  }
  made.classList.add("taps");
  if (made.tagName !== "BUTTON") {
    made.setAttribute("role", "button");
    made.tabIndex = 0;
    if (action.label && !made.hasAttribute("aria-label")) made.setAttribute("aria-label", action.label);
    made.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        made.click();
      }
    });
  }
  made.addEventListener("click", (event) => {
    event.stopPropagation();
    options.onAction(action);
  });
}
