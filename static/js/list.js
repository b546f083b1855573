// Lists: tick all, and say how many are ticked.

for (const form of document.querySelectorAll("form[data-bulk]")) {
  const all = form.querySelector("[data-check-all]");
  const boxes = [...form.querySelectorAll("[data-check]")];
  const bar = form.querySelector("[data-bulk-bar]");
  const chosen = form.querySelector("[data-chosen]");

  const refresh = () => {
    const count = boxes.filter((box) => box.checked).length;
    if (all) {
      all.checked = count > 0 && count === boxes.length;
      all.indeterminate = count > 0 && count < boxes.length;
    }
    if (bar) bar.hidden = count === 0;
    if (chosen) chosen.textContent = chosen.dataset.chosen.replace("{count}", String(count));
  };

  all?.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    refresh();
  });
  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-check]")) refresh();
  });
  window.addEventListener("pageshow", refresh);
  refresh();
}
