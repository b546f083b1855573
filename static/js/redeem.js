// The counter: scanning with the camera, the discount while an amount is typed, and sending a
// redemption so that a lost connection can only repeat it, never double it.

let check, camera, form;

// --- the camera ---------------------------------------------------------------------------------

const EVERY_MS = 180;
const REMEMBER = "lineadmin.counter.camera";
const LAST = "lineadmin.counter.last";
const AGAIN_MS = 60000;

// The phone that was just scanned is still held up: reading it again would hide its answer.
function isNews(text) {
  const [at, last] = JSON.parse(sessionStorage.getItem(LAST) ?? "[0, null]");
  return text !== last || Date.now() - at > AGAIN_MS;
}

async function canScan() {
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices?.getUserMedia) return false;
  try {
    return (await BarcodeDetector.getSupportedFormats()).includes("qr_code");
  } catch {
    return false;
  }
}

function scanner() {
  const video = camera.querySelector("[data-video]");
  const start = camera.querySelector("[data-start]");
  const stop = camera.querySelector("[data-stop]");
  const note = camera.querySelector("[data-camera-note]");
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  let stream = null;

  function close() {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    video.hidden = stop.hidden = true;
    start.hidden = false;
  }

  async function look() {
    if (!stream) return;
    try {
      const [found] = document.hidden ? [] : await detector.detect(video);
      if (found?.rawValue && isNews(found.rawValue)) {
        sessionStorage.setItem(LAST, JSON.stringify([Date.now(), found.rawValue]));
        navigator.vibrate?.(60);
        close();
        check.elements.how.value = "scan";
        check.elements.code.value = found.rawValue;
        check.requestSubmit();
        return;
      }
    } catch {
      // A frame that could not be read; the next one comes at once.
    }
    setTimeout(look, EVERY_MS);
  }

  async function open() {
    note.hidden = true;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "environment" },
        audio: false,
      });
    } catch {
      note.textContent = note.dataset.denied;
      note.hidden = false;
      localStorage.removeItem(REMEMBER);
      return;
    }
    video.srcObject = stream;
    await video.play();
    video.hidden = stop.hidden = false;
    start.hidden = true;
    localStorage.setItem(REMEMBER, "1");
    look();
  }

  start.addEventListener("click", () => {
    sessionStorage.removeItem(LAST);
    open();
  });
  stop.addEventListener("click", () => {
    localStorage.removeItem(REMEMBER);
    close();
  });
  window.addEventListener("pagehide", close);
  // Whoever scanned a moment ago scans the next one, too; an open answer comes first.
  if (localStorage.getItem(REMEMBER) && !document.querySelector("[data-redeem]")) open();
}

// --- the amount ---------------------------------------------------------------------------------

function amountTyped() {
  const digits = form.elements.amount.value.normalize("NFKC").replace(/nt\$?|[\s$,元]/gi, "");
  return /^[0-9]{1,9}$/.test(digits) ? Number(digits) : null;
}

function discount(amount) {
  const value = Number(form.dataset.value);
  if (form.dataset.benefit === "percent") {
    return amount - Math.floor((amount * (100 - value) + 50) / 100);
  }
  return form.dataset.benefit === "amount" ? Math.min(amount, value) : null;
}

function money(amount) {
  return `NT$${amount.toLocaleString("en-US")}`;
}

function tellAmount() {
  const amount = amountTyped();
  const short = amount === null ? 0 : Number(form.dataset.minimum) - amount;
  const off = amount === null || short > 0 ? null : discount(amount);
  form.querySelector("[data-button]").textContent =
    off === null ? form.dataset.plain : form.dataset.off.replace("{amount}", money(off));
  const note = form.querySelector("[data-note]");
  note.className = short > 0 ? "error" : "hint";
  note.textContent = short > 0 ? form.dataset.short.replace("{amount}", money(short)) : "";
}

// --- sending ------------------------------------------------------------------------------------

const PATIENCE_MS = 10000;
const PAUSES_MS = [0, 800, 2500];

async function post() {
  for (const pause of PAUSES_MS) {
    await new Promise((done) => setTimeout(done, pause));
    try {
      // The same request key every time: whichever of these arrives first is the one that counts.
      const answer = await fetch(form.action, {
        method: "POST",
        body: new FormData(form),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (answer.status < 500) return answer;
    } catch {
      // Lost on the way there or back; nobody knows which.
    }
  }
  return null;
}

async function send(event) {
  event.preventDefault();
  const button = form.querySelector("[data-button]");
  const trouble = form.querySelector("[data-trouble]");
  if (button.disabled) return;
  const label = button.textContent;
  button.disabled = true;
  button.textContent = form.dataset.sending;
  trouble.hidden = true;
  const answer = await post();
  if (answer?.redirected) {
    location.assign(answer.url);
    return;
  }
  if (answer) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("main");
    if (fresh) {
      document.querySelector("main").replaceWith(fresh);
      document.querySelector("[data-answer], .error")?.scrollIntoView({ block: "center" });
      wire();
      return;
    }
  }
  button.disabled = false;
  button.textContent = label;
  trouble.textContent = form.dataset.lost;
  trouble.hidden = false;
}

// --- the page, and every answer that takes its place ----------------------------------------------

async function wire() {
  check = document.querySelector("[data-check]");
  camera = document.querySelector("[data-camera]");
  form = document.querySelector("[data-redeem]");
  check.elements.code.addEventListener("input", () => {
    check.elements.how.value = "code";
  });
  form?.addEventListener("input", tellAmount);
  form?.addEventListener("submit", send);
  if (form?.elements.amount.value && !form.querySelector("[aria-invalid]")) tellAmount();
  const able = await canScan();
  camera.hidden = !able;
  document.querySelector("[data-no-camera]").hidden = able;
  if (able) scanner();
}

wire();
