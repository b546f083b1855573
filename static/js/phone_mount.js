// Fills every phone a page was sent with (templates/admin/_phone.html).
import { renderMessage, renderQuickReplies } from "./phone.js";

for (const phone of document.querySelectorAll("[data-phone]")) {
  const messages = JSON.parse(phone.querySelector("[data-phone-messages]").textContent);
  const options = { stickerPictures: "stickerPictures" in phone.dataset };
  phone.querySelector("[data-msgs]").replaceChildren(
    ...messages.map((message) => renderMessage(message, options)),
  );
  phone.querySelector("[data-quick]").replaceChildren(
    ...renderQuickReplies(messages.at(-1), options),
  );
}
