// The sequence editor: whoever goes on to another step, adds one, or publishes, keeps what she wrote.
// The panel is saved first, quietly, and then what was clicked happens. Without this file the browser
// asks before unsaved work is left.

const panel = document.querySelector(".panel form[data-guard]");
const NEXT = ".canvas a, .page-actions a";

async function save() {
  let answer;
  try {
    answer = await fetch(panel.action, { method: "POST", body: new FormData(panel) });
  } catch {
    return false;
  }
  if (!answer.ok || !answer.redirected) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const version = page.querySelector(".panel input[name=version]")?.value;
  // A refusal comes back as a page too, with its sentences beside the fields.
  if (!version || page.querySelector(".panel .has-error, .panel .error-summary")) return false;
  for (const field of document.querySelectorAll("input[name=version]")) field.value = version;
  delete panel.dataset.changed;
  return true;
}

async function keepThen(event, go) {
  if (!panel?.dataset.changed) return;
  event.preventDefault();
  event.stopPropagation();
  if (await save()) go();
  else panel.requestSubmit(); // shows what is wrong
}

document.addEventListener("click", (event) => {
  const link = event.target.closest(NEXT);
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  keepThen(event, () => location.assign(link.href));
}, { capture: true });

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form === panel || !form.closest(".canvas, .page-actions, .step-tools")) return;
  keepThen(event, () => form.requestSubmit(event.submitter ?? undefined));
}, { capture: true });
