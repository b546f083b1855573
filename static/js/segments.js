// Figures that may take a moment come after the page: counts in the list one by one, and the panel
// of one segment.
for (const box of document.querySelectorAll("[data-panel-url]")) {
  try {
    const answer = await fetch(box.dataset.panelUrl);
    if (answer.redirected || !answer.ok) throw new Error();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    box.replaceChildren(...page.body.childNodes);
  } catch {
    box.querySelector("[data-wait]")?.remove();
    box.querySelector("[data-failed]")?.removeAttribute("hidden");
  }
  box.setAttribute("aria-busy", "false");
}

for (const cell of document.querySelectorAll("[data-count-url]")) {
  try {
    const answer = await fetch(cell.dataset.countUrl);
    if (answer.redirected || !answer.ok) throw new Error();
    cell.textContent = (await answer.json()).told;
  } catch {
    cell.textContent = "—";
  }
}

// The tagging of a whole list: look again while it is underway.
const POLL_MS = 2000;
for (const box of document.querySelectorAll("[data-poll-url]")) {
  const look = async () => {
    try {
      const answer = await fetch(box.dataset.pollUrl);
      if (!answer.redirected && answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        box.replaceChildren(...page.body.childNodes);
      }
    } catch {
      // Without a connection the page stays as it is, and looks again.
    }
    if (box.querySelector("[data-live]")) setTimeout(look, POLL_MS);
  };
  if (box.querySelector("[data-live]")) setTimeout(look, POLL_MS);
}
