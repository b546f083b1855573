// Pictures and films on their way to the server, and the checks that save a long wait for a refusal.

export async function send(composer, url, body, type) {
  const headers = { "X-CSRFToken": composer.root.dataset.csrf };
  if (type) headers["Content-Type"] = type;
  const answer = await fetch(url, { method: "POST", headers, body });
  if (answer.redirected) throw new Error(composer.words.signed_out);
  const result = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(result.error || composer.words.upload_failed);
  return result;
}

export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
  node.hidden = !text;
}

// What the fetch API throws when there is no connection is nothing to read.
export function sentenceOf(failure, composer) {
  return failure instanceof TypeError ? composer.words.upload_failed : failure.message;
}

// Makes a [data-drop] take pictures. `box.dataset.token` holds what was uploaded; `onDone(result)` is
// called for a new one. `wide`: it is to be a rich message, so its pixels are looked at first.
export function takePictures(box, composer, { token = "", wide = false, onDone = () => {} } = {}) {
  showPicture(box, token);
  const file = box.querySelector("[data-file]");
  const take = (chosen) => upload(box, composer, chosen, { wide, onDone });
  file.addEventListener("change", () => {
    take(file.files[0]);
    file.value = "";
  });
  for (const name of ["dragover", "dragleave", "drop"]) {
    box.addEventListener(name, (event) => {
      event.preventDefault();
      box.classList.toggle("over", name === "dragover");
      if (name === "drop") take(event.dataTransfer.files[0]);
    });
  }
}

export function showPicture(box, token) {
  box.dataset.token = typeof token === "string" ? token : "";
  const thumb = box.querySelector("[data-thumb]");
  thumb.hidden = !box.dataset.token;
  if (box.dataset.token) thumb.src = `/media/${box.dataset.token}/preview`;
}

export async function upload(box, composer, file, { wide = false, onDone = () => {} } = {}) {
  if (!file) return;
  const error = box.querySelector("[data-upload-error]");
  const busy = box.querySelector("[data-busy]");
  say(error, "");
  busy.hidden = false;
  composer.uploading += 1;
  try {
    if (file.size > composer.state.limits.file) throw new Error(composer.words.too_large);
    if (wide) await measure(file, composer);
    const form = new FormData();
    form.append("picture", file);
    if (wide) form.append("use", "rich_message");
    const result = await send(composer, composer.root.dataset.uploadUrl, form);
    showPicture(box, result.token);
    box.querySelector("[data-thumb]").alt = result.name;
    onDone(result);
  } catch (failure) {
    say(error, sentenceOf(failure, composer));
  } finally {
    busy.hidden = true;
    composer.uploading -= 1;
    composer.changed();
  }
}

async function measure(file, composer) {
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    throw new Error(composer.words.no_picture);
  }
  const { width, height } = picture;
  picture.close();
  const { width: needed, lowest, highest } = composer.state.limits.rich;
  if (width < needed) throw new Error(composer.words.too_narrow.replace("{width}", width.toLocaleString("en")));
  const fitted = (height * needed) / width;
  if (fitted < lowest || fitted > highest) throw new Error(composer.words.wrong_shape);
}
