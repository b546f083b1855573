// The entry page inside LINE: LINE tells this page who opened it, the page tells the server, and the
// server asks LINE whether that is true.
const box = document.querySelector("#entry");
const part = (name) => box.querySelector(`[data-${name}]`);

function show(name) {
  for (const one of ["waiting", "new", "friend", "failed"]) part(one).hidden = one !== name;
  part("add").hidden = name !== "new";
  part("close").hidden = name !== "friend";
}

async function begin() {
  const query = new URLSearchParams(location.search);
  await liff.init({ liffId: box.dataset.liff });
  // The first visit carries the query inside liff.state; LINE's script opens the page again with it.
  if (query.has("liff.state")) return;
  if (!liff.isLoggedIn()) {
    liff.login({ redirectUri: location.href });
    return;
  }
  const told = { id_token: liff.getIDToken(), src: query.get("src") };
  for (const [key, value] of query) if (key.startsWith("utm_")) told[key] = value;
  const answer = await fetch(box.dataset.post, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(told),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error);
  part("add").addEventListener("click", () => liff.openWindow({ url: said.add, external: false }));
  part("close").addEventListener("click", () => liff.closeWindow());
  show(said.friend ? "friend" : "new");
  if (!said.add) part("add").hidden = true;
}

begin().catch((error) => {
  if (error instanceof Error && error.message && !(error instanceof TypeError)) part("why").textContent = error.message;
  show("failed");
});
