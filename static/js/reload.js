// Loads a page again that shows something under way: <main> … <div data-reload="2"> (seconds).
const watched = document.querySelector("[data-reload]");
if (watched) setTimeout(() => location.reload(), Number(watched.dataset.reload) * 1000);
