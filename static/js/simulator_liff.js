// Stands in for LINE's own script on the simulator's phones: the token comes with the address, and
// what opens in LINE opens on the phone.
(() => {
  const given = new URLSearchParams(location.hash.slice(1));
  const phones = new BroadcastChannel("simulator-phones");
  const tell = (what) => phones.postMessage({ user: given.get("phone"), ...what });
  window.liff = {
    init: async () => {},
    isLoggedIn: () => given.has("id_token"),
    login: () => {},
    getIDToken: () => given.get("id_token"),
    openWindow: ({ url }) => { tell({ open: url }); window.close(); },
    closeWindow: () => window.close(),
  };
})();
