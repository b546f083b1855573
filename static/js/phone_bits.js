// What every piece of a drawn message is made of.

export function element(name, className = "", words) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (words !== undefined) made.textContent = words;
  return made;
}

export function list(value) {
  return Array.isArray(value) ? value : [];
}

export function imageFrom(url, options) {
  const address = options.mapUrl ? options.mapUrl(String(url)) : String(url ?? "");
  if (!/^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost)[:/]|\/(?!\/)|blob:|data:image\/jpeg;base64,)/.test(address)) return null;
  const image = element("img");
  image.alt = "";
  image.loading = "lazy";
  image.src = address;
  return image;
}

export function tappable(made, action, options) {
  if (!action || !action.type) return;
  if (!options.onAction) {
    if (made.tagName === "BUTTON") made.tabIndex = -1;
    return;
  }
  made.classList.add("taps");
  if (made.tagName !== "BUTTON") {
    made.setAttribute("role", "button");
    made.tabIndex = 0;
    if (action.label && !made.hasAttribute("aria-label")) made.setAttribute("aria-label", action.label);
    made.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        made.click();
      }
    });
  }
  made.addEventListener("click", (event) => {
    event.stopPropagation();
    options.onAction(action);
  });
}
