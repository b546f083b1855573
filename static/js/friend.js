// A friend's page: how long an answer stays free.

for (const badge of document.querySelectorAll("[data-free-seconds]")) {
  const end = Date.now() + Number(badge.dataset.freeSeconds) * 1000;

  const refresh = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    if (left > 0) {
      badge.textContent = badge.dataset.free.replace("{seconds}", String(left));
      return;
    }
    clearInterval(timer);
    badge.textContent = badge.dataset.then;
    badge.className = "badge quiet";
  };

  const timer = setInterval(refresh, 1000);
  refresh();
}
