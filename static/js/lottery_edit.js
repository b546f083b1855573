// Setting up a lottery: what the odds add up to, while they are typed.
const form = document.getElementById("lottery");
const told = form.querySelector("[data-odds-sum]");

// In ten-thousandths of a percent, as the rules count, so that 0.1 + 0.2 is 0.3.
function parts(text) {
  const number = Number(text.trim().replace(/[%％]$/, ""));
  return Number.isFinite(number) ? Math.round(number * 10000) : 0;
}

function percent(count) {
  return String(count / 10000);
}

function tell() {
  const boxes = [...form.querySelectorAll("[data-odds]")];
  const sum = boxes.reduce((total, box) => total + parts(box.value), 0);
  const over = sum > 1000000;
  told.textContent = (over ? told.dataset.over : told.dataset.words)
    .replace("{sum}", percent(sum))
    .replace("{rest}", percent(1000000 - sum));
  told.classList.toggle("over", over);
  told.hidden = sum === 0;
}

form.addEventListener("input", tell);
tell();
