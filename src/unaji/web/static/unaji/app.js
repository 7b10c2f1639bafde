// What the screens do beyond what a page without script does: sliders that say "not answered", undo that counts down.

for (const scale of document.querySelectorAll(".scale")) {
  const range = scale.querySelector("input[type=range]");
  const output = scale.querySelector("output");
  const touch = () => {
    range.classList.remove("untouched");
    range.removeAttribute("aria-valuetext");
    range.name = range.dataset.name;
    output.textContent = range.value;
  };
  range.addEventListener("input", touch);
  range.addEventListener("click", touch);
  for (const button of scale.querySelectorAll("[data-step]")) {
    button.addEventListener("click", () => {
      if (!range.classList.contains("untouched")) range.value = Number(range.value) + Number(button.dataset.step);
      touch();
    });
  }
}

const undo = document.querySelector("[data-undo]");
if (undo) {
  const shown = undo.querySelector(".count");
  let left = Number(undo.dataset.undo);
  const tick = () => {
    shown.textContent = left > 0 ? String(left) : "";
    left -= 1;
    if (left >= 0) setTimeout(tick, 1000);
  };
  tick();
}

const zone = document.querySelector("[data-zone]");
if (zone) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || zone.value;

// A job that runs: ask how far it is, and show the page anew when it has ended.
for (const box of document.querySelectorAll("[data-job]")) {
  const bar = box.querySelector("progress");
  const look = async () => {
    try {
      const answer = await fetch(box.dataset.job, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const { state, share } = await answer.json();
      if (state !== "waiting" && state !== "running") return location.reload();
      bar.value = share;
    } catch {
      // no connection now: ask again later
    }
    setTimeout(look, 1500);
  };
  setTimeout(look, 1000);
}

const drop = document.querySelector("[data-drop]");
if (drop) {
  const input = drop.querySelector("input[type=file]");
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    input.files = event.dataTransfer.files;
  });
}
