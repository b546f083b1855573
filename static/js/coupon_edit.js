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

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(draw, PAUSE);
});
