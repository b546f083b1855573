// Draws LINE message objects as a phone shows them: texts, stickers, pictures, films, Flex bubbles.
// Everything is made with createElement and textContent; data never becomes markup.
//
// renderMessage(message, options)       -> element
// renderQuickReplies(message, options)  -> array of buttons
// options.onAction(action)   what a tap does; without it buttons are shown but do nothing
// options.pictureName        what a picture that can be tapped is called
// options.mapUrl(url)        another address for a picture (the demo's public address)
// options.stickerPictures    fetch stickers from LINE instead of drawing a stand-in

import { element, imageFrom, list, tappable } from "./phone_bits.js";
import { flexMessage } from "./phone_flex.js";
import { sticker } from "./phone_sticker.js";

const ADDRESS = /(https?:\/\/[^\s<>"']+)/;

export function renderMessage(message, options = {}) {
  switch (message?.type) {
    case "text":
    case "textV2":
      return text(message, options);
    case "sticker":
      return sticker(message, options);
    case "image":
      return picture(message, options);
    case "video":
      return film(message, options);
    case "imagemap":
      return imagemap(message, options);
    case "coupon":
      return element("div", "bub other", `🎫 ${message.title ?? "LINE"}`);
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
  if (options.onAction) frame.setAttribute("aria-label", options.pictureName ?? String(message.originalContentUrl));
  tappable(frame, { type: "uri", uri: message.originalContentUrl }, options);
  return frame;
}

function film(message, options) {
  const frame = picture(message, options);
  frame.classList.add("film-still");
  return frame;
}

// A rich message: the picture with its areas lying over it.
function imagemap(message, options) {
  const frame = element("div", "map");
  const { width = 1040, height = 1040 } = message.baseSize ?? {};
  if (width > 0 && height > 0) frame.style.aspectRatio = `${width} / ${height}`;
  frame.setAttribute("role", "group");
  frame.setAttribute("aria-label", message.altText ?? "");
  const image = imageFrom(`${message.baseUrl}/700`, options);
  if (image) frame.append(image);
  for (const one of list(message.actions)) {
    const { area, linkUri, ...rest } = one ?? {};
    const action = linkUri === undefined ? rest : { ...rest, uri: linkUri };
    const place = element("span", "map-area");
    const sides = { left: [area?.x, width], top: [area?.y, height], width: [area?.width, width], height: [area?.height, height] };
    for (const [side, [value, whole]] of Object.entries(sides)) place.style[side] = `${(Number(value) * 100) / whole}%`;
    const said = action.label ?? action.text ?? action.clipboardText ?? action.uri;
    if (options.onAction && said) place.setAttribute("aria-label", String(said));
    tappable(place, action, options);
    frame.append(place);
  }
  return frame;
}
