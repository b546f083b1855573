// The frame: drawer, "/" puts the cursor into the search box, menus close as people expect.

const side = document.getElementById("side");
const opener = document.querySelector("[data-menu-open]");

function show(open) {
  side.classList.toggle("open", open);
  opener.setAttribute("aria-expanded", String(open));
  if (open) side.querySelector("a, button, input")?.focus();
  else opener.focus();
}

if (side && opener) {
  opener.setAttribute("aria-expanded", "false");
  opener.addEventListener("click", (event) => {
    event.preventDefault();
    show(!side.classList.contains("open"));
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-menu-close]") && side.classList.contains("open")) {
      event.preventDefault();
      show(false);
    }
  });
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    if (side?.classList.contains("open")) show(false);
    for (const menu of document.querySelectorAll("details.pop[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const box = document.querySelector(".top .find input");
    if (box && box.offsetParent) {
      event.preventDefault();
      box.focus();
    }
  }
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.pop[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
