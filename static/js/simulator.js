// The simulator's screen: draws phones from the world's state and tells it what people do.
import { renderMessage } from "./phone.js";

const words = JSON.parse(document.querySelector("[data-words]").textContent);
const token = document.querySelector("meta[name=csrf-token]").content;
const shelf = document.querySelector("[data-phones]");
const template = document.querySelector("[data-phone-template]");
const toast = document.querySelector("[data-toast]");
const POLL_MS = 500;
const cards = new Map();
let version = "";
let toastTimer = 0;

async function post(path, body = {}) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token },
    body: JSON.stringify(body),
  });
  const result = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(result.error || words.failed);
  return result;
}

function say(text) {
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { toast.hidden = true; }, 4000);
}

async function attempt(work) {
  try {
    await work();
    await refresh();
  } catch (error) {
    say(error.message);
  }
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function act(phone, what, body) {
  return post(`/simulator/phones/${phone.id}/${what}`, body);
}

// What a phone would open in LINE's browser; the demo's public address stands for this panel.
function here(address) {
  const publicUrl = shelf.dataset.publicUrl;
  return publicUrl && address.startsWith(publicUrl) ? location.origin + address.slice(publicUrl.length) : address;
}

function open(address) {
  window.open(here(address), "_blank", "noopener");
}

const picker = document.querySelector("[data-picker]");
const PLACE = { latitude: 25.0634, longitude: 121.5226 };

async function tap(phone, action) {
  if (action.type === "uri") {
    open(action.uri);
    return;
  }
  const value = action.type === "datetimepicker" ? await pick(action) : undefined;
  if (value === "") return;
  attempt(async () => {
    const result = await act(phone, "tap", value === undefined ? { action } : { action, value });
    if (result.copy) say(words.copied.replace("{text}", result.copy));
    // What LINE's app does next: where she is, or a picture.
    if (result.prompt === "location") {
      await act(phone, "location", { ...PLACE, title: words.location, address: words.demo_place });
    } else if (result.prompt) {
      await act(phone, "file", { kind: "image", type: "image/png", base64: snapshot() });
    }
  });
}

// What LINE does with a link of its own: opens the chat with words typed in, the account's page, or
// a page of the shop that is told who came.
async function scan(phone, url, opened) {
  try {
    const result = await post(`/simulator/phones/${phone.id}/scan`, { url });
    if (result.type === "prefill") {
      const input = cards.get(phone.id).card.querySelector("[data-say]").elements.text;
      input.value = result.text;
      input.focus();
    } else if (result.type === "profile") {
      if (phone.status !== "friend") await act(phone, phone.status === "blocked" ? "unblock" : "follow");
    } else if (opened) opened.location.href = here(result.open);
    else open(result.open);
  } catch (error) {
    opened?.close();
    throw error;
  }
}

new BroadcastChannel("simulator-phones").addEventListener("message", ({ data }) => {
  const phone = cards.get(data.user)?.phone;
  if (phone && data.open) attempt(() => scan(phone, data.open));
});

// The date or time she chooses; "" where she thinks better of it.
function pick(action) {
  const input = picker.querySelector("[data-picker-value]");
  input.type = action.mode === "datetime" ? "datetime-local" : action.mode;
  input.value = action.initial ?? "";
  for (const end of ["min", "max"]) {
    if (action[end]) input.setAttribute(end, action[end]);
    else input.removeAttribute(end);
  }
  picker.returnValue = "";
  picker.showModal();
  return new Promise((resolve) => {
    picker.addEventListener("close", () => resolve(picker.returnValue ? input.value : ""), { once: true });
  });
}

function snapshot() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 96;
  const brush = canvas.getContext("2d");
  brush.fillStyle = "#e07a2f";
  brush.fillRect(0, 0, 96, 96);
  brush.fillStyle = "#fff8e6";
  brush.fillRect(24, 24, 48, 48);
  return canvas.toDataURL("image/png").split(",")[1];
}

function said(message) {
  if (message.type === "location") return `📍 ${message.address || message.title}`;
  if (message.type === "image") return `📷 ${words.image}`;
  return message.text || words.sticker;
}

function bubble(phone, item) {
  if (item.side === "system") {
    const text = { follow: words.follow, unfollow: words.unfollow }[item.message.type];
    return text ? element("span", "when", `${item.time} ${text}`) : null;
  }
  if (item.side === "friend") {
    if (item.unsent || item.message.type === "unsent") return element("span", "when", words.unsent);
    return element("div", "bub me", said(item.message));
  }
  const drawn = renderMessage(item.message, { onAction: (action) => tap(phone, action), mapUrl: here, pictureName: words.image });
  drawn.title = `${item.time}・${words[item.how] || item.how}`;
  return drawn;
}

function makeCard(id) {
  const card = template.content.firstElementChild.cloneNode(true);
  card.querySelector("[data-shop-name]").textContent = shelf.dataset.shop;
  const form = card.querySelector("[data-say]");
  form.elements.text.placeholder = words.write;
  form.querySelector("button").textContent = words.send;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = form.elements.text.value.trim();
    if (!text) return;
    attempt(async () => {
      await act(cards.get(id).phone, "text", { text });
      form.elements.text.value = "";
    });
  });
  card.querySelector("[data-friendship]").addEventListener("click", () => {
    const phone = cards.get(id).phone;
    const what = { stranger: "follow", blocked: "unblock", friend: "block" }[phone.status];
    attempt(() => act(phone, what));
  });
  card.querySelector("[data-scan]")?.addEventListener("change", (event) => {
    const url = event.target.value;
    event.target.value = "";
    // At once: a window opened after an answer would be taken for an unwanted one.
    const opened = url.includes("liff.line.me") ? window.open("about:blank", "_blank") : null;
    if (url) attempt(() => scan(cards.get(id).phone, url, opened));
  });
  shelf.append(card);
  return { card, phone: null, drawn: "" };
}

function drawCard(phone) {
  if (!cards.has(phone.id)) cards.set(phone.id, makeCard(phone.id));
  const entry = cards.get(phone.id);
  entry.phone = phone;
  const state = JSON.stringify(phone);
  if (state === entry.drawn) return;
  entry.drawn = state;
  const { card } = entry;
  card.classList.toggle("gone", phone.status === "blocked");
  card.setAttribute("aria-label", phone.name);
  card.querySelector("[data-name]").textContent = phone.name;
  const status = card.querySelector("[data-status]");
  status.textContent = words[phone.status] || phone.status;
  status.className = `badge ${{ friend: "ok", blocked: "bad" }[phone.status] || ""}`;
  const button = card.querySelector("[data-friendship]");
  button.textContent = { stranger: words.add, blocked: words.unblock }[phone.status] || words.block;
  button.classList.toggle("primary", phone.status === "stranger");
  const form = card.querySelector("[data-say]");
  form.elements.text.setAttribute("aria-label", `${phone.name}：${words.write}`);
  for (const control of form.elements) control.disabled = phone.status === "blocked";
  const messages = card.querySelector("[data-msgs]");
  messages.setAttribute("aria-label", phone.name);
  messages.replaceChildren();
  let minute = "";
  for (const item of phone.chat) {
    if (item.side !== "system" && item.time !== minute) messages.append(element("span", "when", item.time));
    minute = item.time;
    const drawn = bubble(phone, item);
    if (drawn) messages.append(drawn);
  }
  const quick = card.querySelector("[data-quick]");
  quick.replaceChildren(
    ...phone.quick_replies.map((reply) => {
      const made = element("button", "", reply.action.label);
      made.type = "button";
      made.addEventListener("click", () => tap(phone, reply.action));
      return made;
    }),
  );
  // Only now is the height of the chat known: quick replies take some of it.
  messages.scrollTop = messages.scrollHeight;
}

function drawCalls(calls) {
  const body = document.querySelector("[data-calls]");
  if (!calls.length) {
    const row = element("tr");
    row.append(element("td", "hint", words.nothing));
    body.replaceChildren(row);
    return;
  }
  body.replaceChildren(
    ...calls.map((call) => {
      const row = element("tr", call.status === 200 || call.status === 409 ? "" : "failed");
      row.append(
        element("td", "num hint", call.time),
        element("td", "", words[call.endpoint] || call.endpoint),
        element("td", "num", call.status === 200 ? "" : String(call.status || "—")),
        element("td", "num", words.people.replace("{count}", call.recipients)),
      );
      return row;
    }),
  );
}

async function refresh() {
  const answer = await fetch(`/simulator/world?after=${encodeURIComponent(version)}`, {
    headers: { Accept: "application/json" },
  });
  if (answer.status !== 200) return;
  const world = await answer.json();
  version = world.version;
  for (const shown of document.querySelectorAll("[data-shop-time], [data-shell-time]")) {
    const words = shown.textContent.replace(/\d.*$/s, world.shop_time);
    // What is said aloud is said again only where it changed.
    if (words !== shown.textContent) shown.textContent = words;
  }
  for (const phone of world.phones) drawCard(phone);
  drawCalls(world.calls);
  document.querySelector("[data-faulty]").hidden = world.faults.length === 0;
}

// Time passes from one planned moment to the next, so that every step comes at its own hour.
async function passTime(hours) {
  let left = { hours };
  while (left) {
    const { until } = await post("/simulator/clock", left);
    left = until ? { until } : null;
    if (left) await refresh().catch(() => {});
  }
}

for (const button of document.querySelectorAll("[data-hours]")) {
  button.addEventListener("click", () => {
    for (const other of document.querySelectorAll("[data-hours]")) other.disabled = true;
    attempt(() => passTime(Number(button.dataset.hours))).finally(() => {
      for (const other of document.querySelectorAll("[data-hours]")) other.disabled = false;
    });
  });
}
for (const button of document.querySelectorAll("[data-fault]")) {
  button.addEventListener("click", () => attempt(() => post(`/simulator/fault/${button.dataset.fault}`)));
}
document.querySelector("[data-redeliver]").addEventListener("click", () => attempt(() => post("/simulator/redeliver")));

async function loop() {
  for (;;) {
    if (!document.hidden) await refresh().catch(() => {});
    await new Promise((resolve) => { setTimeout(resolve, POLL_MS); });
  }
}
loop();
