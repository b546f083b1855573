// What the server's registry put into the page for every <condition-editor>: its words, its templates.
let shared = null;
export const common = () => (shared ??= JSON.parse(document.querySelector("[data-condition-words]").textContent));
export const clone = (name) =>
  document.querySelector(`template[data-condition="${name}"]`).content.firstElementChild.cloneNode(true);
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
