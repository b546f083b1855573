// The coupon editor: card and page follow what is typed. The server draws both, so that the preview
// says exactly what friends will read.
import { renderMessage } from "./phone.js";

const form = document.getElementById("coupon");
const preview = document.querySelector("[data-preview]");
const card = preview.querySelector("[data-msgs]");
const frame = preview.querySelector("iframe");
const PAUSE = 250;

let timer;
let asked = 0;

async function draw() {
  const mine = ++asked;
  let answer;
  try {
    answer = await fetch(form.dataset.previewUrl, { method: "POST", body: new FormData(form) });
  } catch {
    return; // no connection: the old preview stays
  }
  if (!answer.ok || mine !== asked) return;
  const drawn = await answer.json();
  card.replaceChildren(...drawn.messages.map((message) => renderMessage(message)));
  if (frame.srcdoc !== drawn.page) frame.srcdoc = drawn.page;
}

// --- the picture: uploaded as soon as it is chosen, cut by three sliders or by dragging -----------

const part = (name) => form.querySelector(`[data-${name}]`);
const [zoom, left, top_] = ["crop_zoom", "crop_x", "crop_y"].map((name) => form.elements[name]);
const source = form.elements.picture_source;

function frameCrop() {
  // The same arithmetic as on the server: the spot keeps its share of what is left over.
  const image = part("crop-image");
  const spot = `${left.value}% ${top_.value}%`;
  image.style.objectPosition = image.style.transformOrigin = spot;
  image.style.transform = `scale(${zoom.value / 100})`;
}

function showCrop() {
  const shown = Boolean(source.value) && !form.elements.picture_off.checked;
  if (shown) part("crop-image").src = `${part("crop").dataset.media}${source.value}/preview`;
  part("crop").hidden = part("crop-hint").hidden = !shown;
  frameCrop();
}

async function upload(file) {
  const body = new FormData();
  body.append("picture", file);
  body.append("csrf_token", form.elements.csrf_token.value);
  const trouble = part("upload-error");
  trouble.hidden = true;
  part("busy").hidden = false;
  try {
    const answer = await fetch(form.dataset.uploadUrl, { method: "POST", body });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.error);
    source.value = said.token;
    source.setAttribute("value", said.token); // the style sheet looks at the attribute
    form.elements.picture_file.value = "";
    form.elements.picture_off.checked = false;
    [zoom.value, left.value, top_.value] = [100, 50, 50];
    showCrop();
    draw();
  } catch (error) {
    trouble.textContent = error instanceof SyntaxError || error instanceof TypeError
      ? trouble.dataset.failed : error.message || trouble.dataset.failed;
    trouble.hidden = false;
  } finally {
    part("busy").hidden = true;
  }
}

function within(number) {
  return Math.min(100, Math.max(0, number));
}

part("crop").addEventListener("pointerdown", (event) => {
  const box = part("crop");
  const image = part("crop-image");
  const scale = Math.max(box.clientWidth / image.naturalWidth, box.clientHeight / image.naturalHeight) * zoom.value / 100;
  const spare = [image.naturalWidth * scale - box.clientWidth, image.naturalHeight * scale - box.clientHeight];
  const from = [event.clientX, event.clientY, Number(left.value), Number(top_.value)];
  box.setPointerCapture(event.pointerId);
  box.onpointermove = (move) => {
    if (spare[0] > 1) left.value = within(from[2] - ((move.clientX - from[0]) / spare[0]) * 100);
    if (spare[1] > 1) top_.value = within(from[3] - ((move.clientY - from[1]) / spare[1]) * 100);
    frameCrop();
  };
  box.onpointerup = () => {
    box.onpointermove = box.onpointerup = null;
    form.dispatchEvent(new Event("input", { bubbles: true }));
  };
});
form.elements.picture_file.addEventListener("change", (event) => {
  if (event.target.files[0]) upload(event.target.files[0]);
});
for (const slider of [zoom, left, top_]) slider.addEventListener("input", frameCrop);
form.elements.picture_off.addEventListener("change", showCrop);
showCrop();

// What was typed before this script was there, or was put back by the browser after a reload.
const changed = ({ type, value, defaultValue, checked, defaultChecked }) =>
  ["radio", "checkbox"].includes(type) ? checked !== defaultChecked
    : ["text", "textarea", "date", "range"].includes(type) && value !== defaultValue;
if ([...form.elements].some(changed)) draw();

form.addEventListener("input", (event) => {
  if (event.target.type === "file") return;
  clearTimeout(timer);
  timer = setTimeout(draw, PAUSE);
});
