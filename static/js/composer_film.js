// A film: uploaded, or somewhere else by its address; its first picture is taken from the film where
// the browser can play it.
import { say, send, sentenceOf, showPicture, takePictures, upload } from "./composer_upload.js";

const STILL_AT_SECONDS = 0.5;

export const FILM = {
  make(card, composer, value) {
    card.dataset.film = value?.upload ?? "";
    card.querySelector("[data-film-url]").value = value?.url ?? "";
    const drop = card.querySelector("[data-drop]");
    takePictures(drop, composer, { token: value?.preview });
    const file = card.querySelector("[data-film-file]");
    file.addEventListener("change", () => {
      take(card, composer, file.files[0]);
      file.value = "";
    });
  },
  read(card) {
    const url = card.querySelector("[data-film-url]").value.trim();
    const preview = card.querySelector("[data-drop]").dataset.token;
    return { video: { ...(card.dataset.film && !url ? { upload: card.dataset.film } : { url }), preview } };
  },
};

async function take(card, composer, file) {
  if (!file) return;
  const error = card.querySelector("[data-film-error]");
  const busy = card.querySelector("[data-film-busy]");
  say(error, "");
  busy.hidden = false;
  composer.uploading += 1;
  try {
    if (file.size > composer.state.limits.film) throw new Error(composer.words.film_too_large);
    const address = `${composer.root.dataset.filmUrl}?name=${encodeURIComponent(file.name)}`;
    const result = await send(composer, address, file, "video/mp4");
    card.dataset.film = result.token;
    card.querySelector("[data-film-name]").textContent = result.name;
    card.querySelector("[data-film-url]").value = "";
    const drop = card.querySelector("[data-drop]");
    if (!drop.dataset.token) {
      showPicture(drop, "");
      const still = await stillOf(`/media/${result.token}/film.mp4`);
      if (still) await upload(drop, composer, still);
    }
  } catch (failure) {
    say(error, sentenceOf(failure, composer));
  } finally {
    busy.hidden = true;
    composer.uploading -= 1;
    composer.changed();
  }
}

// A picture out of the film; null where this browser cannot play it.
function stillOf(address) {
  return new Promise((resolve) => {
    const film = document.createElement("video");
    film.muted = true;
    film.preload = "auto";
    film.addEventListener("error", () => resolve(null), { once: true });
    film.addEventListener("loadeddata", () => { film.currentTime = Math.min(STILL_AT_SECONDS, film.duration / 2); }, { once: true });
    film.addEventListener("seeked", () => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [film.videoWidth, film.videoHeight];
      canvas.getContext("2d").drawImage(film, 0, 0);
      canvas.toBlob((blob) => resolve(blob && new File([blob], "film.jpg", { type: "image/jpeg" })), "image/jpeg", 0.9);
    }, { once: true });
    film.src = address;
  });
}
