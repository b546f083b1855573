// A friend's survey: what she typed stays on her phone until it has arrived, and one tap sends once.
const KEPT = "survey:";
const script = document.currentScript;
const form = document.getElementById("survey");

function store(change) {
  try {
    return change(window.localStorage);
  } catch {
    return null; // private windows have none; then nothing is kept
  }
}

if (script.dataset.done) store((kept) => kept.removeItem(KEPT + script.dataset.done));

if (form) {
  const key = KEPT + form.dataset.keep;
  const written = () => [...new FormData(form)].filter(([name]) => name !== "revision");

  // After a refusal the server has put everything back itself.
  if (!("refused" in form.dataset)) {
    const saved = JSON.parse(store((kept) => kept.getItem(key)) || "[]");
    for (const [name, value] of saved) {
      for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
        if (field.type === "radio" || field.type === "checkbox") field.checked ||= field.value === value;
        else field.value = value;
      }
    }
  }
  form.addEventListener("input", () => store((kept) => kept.setItem(key, JSON.stringify(written()))));

  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 8000); // no answer: she may try again
  });
  window.addEventListener("pageshow", () => delete form.dataset.sent);
  document.querySelector(".wrong")?.scrollIntoView({ block: "center" });
}
