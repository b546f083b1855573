// Asks LINE who is there, tells the server LINE's signed word for it, and opens the page again.
const { liff: liffId, post, back } = document.getElementById("identity").dataset;
const text = document.querySelector("[data-text]");

async function begin() {
  await window.liff.init({ liffId });
  // The first visit carries the path inside liff.state; LINE's script opens the page again with it.
  if (new URLSearchParams(location.search).has("liff.state")) return;
  if (!window.liff.isLoggedIn()) {
    window.liff.login({ redirectUri: location.href });
    return;
  }
  const answer = await fetch(post, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ id_token: window.liff.getIDToken() }),
  });
  if (answer.ok) {
    location.replace(back);
    return;
  }
  // A token that is too old is renewed by signing in again; LINE does that by itself.
  if (answer.status === 400) window.liff.logout();
  throw new Error((await answer.json()).error);
}

begin().catch((error) => {
  const told = error instanceof Error && !(error instanceof TypeError) ? error.message : "";
  text.textContent = told || text.dataset.failed;
});
