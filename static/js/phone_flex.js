// Flex bubbles and carousels, as far as LINE draws them.
import { element, imageFrom, list, tappable } from "./phone_bits.js";

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
const DEEPEST = 12;

export function flexMessage(message, options) {
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
