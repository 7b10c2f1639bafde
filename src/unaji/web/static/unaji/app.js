// What the screens do beyond what a page without script does: sliders that say "not answered", undo that counts down,
// entries that wait in the phone where there is no network.
import { forget, held, keep, remember, send, undoLast } from "./queue.js";

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

// -- what if -----------------------------------------------------------------------------------------------------------

const whatIf = document.querySelector("[data-what-if]");
if (whatIf) {
  const form = whatIf.querySelector("form");
  const put = (id, text) => { document.getElementById(`what-${id}`).textContent = text; };
  let asking = false;
  let again = false;
  const ask = async () => {
    if (asking) { again = true; return; }
    asking = true;
    const query = new URLSearchParams(new FormData(form)).toString();
    try {
      const answer = await fetch(`${form.action.split("?")[0]}?${query}`, { headers: { Accept: "application/json" } });
      if (answer.ok) show(await answer.json());
    } catch {
      // no network: the numbers stay as they are
    }
    asking = false;
    if (again) { again = false; ask(); }
  };
  const show = (told) => {
    for (const one of told.numbers) { put(one.id, one.value); put(`${one.id}-range`, one.range); }
    for (const name of ["skin", "core", "felt", "way", "fever"]) put(`say-${name}`, told[name]);
    put("aria", told.aria);
    for (const one of told.sliders) {
      put(`value-${one.id}`, one.value);
      document.getElementById(`what-slider-${one.id}`).setAttribute("aria-valuetext", one.value);
    }
    const drawn = new DOMParser().parseFromString(told.section, "image/svg+xml").documentElement;
    document.getElementById("what-section").replaceChildren(document.importNode(drawn, true));
    const warning = document.getElementById("what-warning");
    warning.replaceChildren(...told.warning.map((line) => Object.assign(document.createElement("p"), { textContent: line })));
    warning.hidden = !told.warning.length;
  };
  form.querySelector("[type=submit]").hidden = true;
  form.querySelector(".two").classList.remove("two");
  form.addEventListener("input", ask);
}

// -- without a network -------------------------------------------------------------------------------------------------

const note = document.getElementById("held");

async function showHeld(state = {}) {
  if (!note) return;
  const n = (await held()).length;
  const text = note.querySelector("p");
  const words = Object.keys(state.refused ?? {}).length ? note.dataset.refused
    : !n ? ""
    : state.signedOut ? note.dataset.signedOut
    : n === 1 ? note.dataset.one : note.dataset.many.replace("{n}", String(n));
  text.textContent = words;
  note.hidden = !words;
  note.querySelector("button").hidden = !n;
}

async function sendHeld() {
  const state = await send();
  await showHeld(state);
  return state;
}

// Without a network nobody knows the person's own clock: what a moment is filled in with is then this phone's.
const shown = (moment) => new Date(moment - moment.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
const blank = [...document.querySelectorAll("[data-ago], [data-clock]")].filter((one) => !one.value);
for (const input of blank) {
  const moment = new Date();
  const { ago, clock } = input.dataset;
  if (ago) moment.setMinutes(moment.getMinutes() - Number(ago));
  else if (clock) {
    const [hour, minute] = clock.replace("-", "").split(":").map(Number);
    moment.setHours(hour, minute, 0, 0);
    if (clock.startsWith("-")) moment.setDate(moment.getDate() - 1);
  }
  input.value = shown(moment);
}

// What was filled in, where a moment is on the person's own clock, or on this phone's if this phone proposed it.
function filledIn(form) {
  const fields = [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken");
  const onThisClock = (name, value) => value && blank.includes(form.elements[name]);
  return fields.map(([name, value]) => [name, onThisClock(name, value) ? new Date(value).toISOString() : value]);
}

function complain(form, text) {
  const told = form.querySelector(".wrong") ?? Object.assign(document.createElement("p"), { className: "wrong" });
  told.setAttribute("role", "alert");
  told.textContent = text;
  form.prepend(told);
  told.scrollIntoView({ block: "nearest" });
}

for (const form of document.querySelectorAll("form[data-queue]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.dataset.busy) return;
    form.dataset.busy = "yes";
    const kind = form.dataset.queue;
    const fields = filledIn(form);
    const entry = { kind, client_id: form.elements.client_id?.value || crypto.randomUUID(), at: new Date().toISOString() };
    const isTap = kind === "nothing" || (kind === "episode" && !form.elements.start);
    if (kind === "episode" && !isTap) entry.at = Object.fromEntries(fields).start;
    else if (!isTap) entry.fields = fields;
    navigator.vibrate?.(10);
    try {
      if (!(await keep(entry))) return location.assign("/account/login/"); // nobody is signed in on this phone
    } catch {
      return form.submit(); // this browser keeps nothing: it goes the usual way
    }
    const state = await sendHeld(); // it is safe in the phone; now it is sent
    const stored = state.stored?.[entry.client_id];
    const refused = state.refused?.[entry.client_id];
    if (stored !== undefined && kind === "episode") return location.assign(`/episodes/${stored}?fresh=1`);
    if (stored !== undefined) return location.assign(isTap || !stored ? "/today" : `/today?day=${stored}`);
    if (refused) {
      complain(form, refused);
      await showHeld();
    } else if (!isTap) return location.assign("/now"); // it waits, and Now says so
    if (form.elements.client_id) form.elements.client_id.value = crypto.randomUUID();
    delete form.dataset.busy;
  });
}

note?.querySelector("button").addEventListener("click", async () => {
  await undoLast();
  await showHeld();
});

const day = document.querySelector("[data-today]");
if (day) {
  const shown = { month: "long", day: "numeric", weekday: "long" };
  day.textContent = new Intl.DateTimeFormat(document.documentElement.lang, shown).format(new Date());
}

document.querySelector("[data-sign-out]")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  try {
    await send();
    if ((await held()).length && !confirm(form.dataset.left)) return;
    await forget();
  } catch {
    // this browser keeps nothing, so there is nothing to forget
  }
  form.submit();
});

if (document.querySelector("[data-forget]")) await forget().catch(() => {});
try {
  if (document.body.dataset.person) await remember(document.body.dataset.person);
  addEventListener("online", sendHeld);
  if ((await held()).length) sendHeld();
} catch {
  // this browser keeps nothing: forms go the usual way
}
if ("serviceWorker" in navigator && document.body.dataset.person) navigator.serviceWorker.register("/sw.js");
