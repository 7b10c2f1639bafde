// What the screens do beyond what a page without script does: sliders that say "not answered", undo that counts down,
// entries that wait in the phone where there is no network.
import { forget, held, keep, read, refusals, remember, send, undoLast } from "./queue.js";

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

const stamp = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });

let refused = []; // as they were shown

async function showHeld(state = {}) {
  if (!note) return;
  const n = (await held()).filter((one) => one.kind !== "withdraw").length;
  refused = await refusals();
  const [undo, understood] = note.querySelectorAll("button");
  const said = ({ noted, refused: why }) =>
    note.dataset.refused.replace("{moment}", stamp.format(noted)).replace("{why}", () => why);
  const words = refused.length ? refused.map(said).join("\n")
    : !n ? ""
    : state.signedOut ? note.dataset.signedOut
    : n === 1 ? note.dataset.one : note.dataset.many.replace("{n}", String(n));
  note.querySelector("p").textContent = words;
  note.hidden = !words;
  undo.hidden = !n || refused.length > 0;
  understood.hidden = !refused.length;
}

async function sendHeld() {
  const state = await send();
  await showHeld(state);
  return state;
}

// Without a network nobody knows the person's own clock: what a moment is filled in with is then this phone's.
const proposed = new Map();
for (const input of document.querySelectorAll("[data-ago], [data-clock]")) {
  if (input.defaultValue) continue; // the server has
  const moment = new Date();
  const { ago, clock } = input.dataset;
  if (ago) moment.setMinutes(moment.getMinutes() - Number(ago));
  else {
    const [hour, minute] = clock.replace("-", "").split(":").map(Number);
    moment.setHours(hour, minute, 0, 0);
    if (clock.startsWith("-")) moment.setDate(moment.getDate() - 1);
  }
  const shown = new Date(moment - moment.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
  proposed.set(input, shown);
  input.value ||= shown;
}

// What was filled in. A moment is on the person's own clock, or on this phone's where this phone proposed one; of those,
// the ones that were typed are right even where this phone's clock is not.
function filledIn(form) {
  const typed = [];
  const fields = [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken").map(([name, value]) => {
    const input = form.elements[name];
    if (!proposed.has(input) || Number.isNaN(Date.parse(value))) return [name, value];
    if (value !== proposed.get(input)) typed.push(name);
    return [name, new Date(value).toISOString()];
  });
  return { fields, typed };
}

// What is wrong with it already, before it waits for the server to say so.
function amiss(form, fields) {
  const { what, start, end } = Object.fromEntries(fields);
  if (start && end && end < start) return note.dataset.order;
  const scale = [...form.querySelectorAll("[data-name]")].find((one) => one.dataset.name === what);
  return scale && !scale.name ? note.dataset.untouched : "";
}

// Makes a form ready to be sent as another entry.
function renew(form) {
  if (form.elements.client_id) form.elements.client_id.value = crypto.randomUUID();
  delete form.dataset.busy;
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
    const kind = form.dataset.queue;
    const { fields, typed } = filledIn(form);
    const wrong = amiss(form, fields);
    if (wrong) return complain(form, wrong);
    form.dataset.busy = "yes";
    const entry = { kind, client_id: form.elements.client_id?.value || crypto.randomUUID(), at: new Date().toISOString() };
    const isTap = kind === "nothing" || (kind === "episode" && !form.elements.start);
    if (!isTap && kind === "episode") { // earlier: nothing is filled in but when it was
      entry.at = Object.fromEntries(fields).start;
      entry.typed = typed.map(() => "at");
    } else if (!isTap) Object.assign(entry, { fields, typed });
    navigator.vibrate?.(10);
    try {
      if (!(await keep(entry))) return location.assign("/account/login/"); // nobody is signed in on this phone
    } catch {
      return form.submit(); // this browser keeps nothing: it goes the usual way
    }
    const state = await sendHeld().catch(() => ({})); // it is safe in the phone; now it is sent
    const stored = state.stored?.[entry.client_id];
    const why = state.refused?.[entry.client_id];
    if (stored !== undefined && kind === "episode") return location.assign(`/episodes/${stored}?fresh=1`);
    const saved = kind === "evening" ? "&saved=evening" : "";
    if (stored !== undefined) return location.assign(isTap || !stored ? "/today" : `/today?day=${stored}${saved}`);
    if (why) {
      complain(form, why); // what was filled in still stands in the form
      await read((await refusals()).filter((one) => one.client_id === entry.client_id));
      await showHeld();
    } else if (!isTap) return location.assign("/now"); // it waits, and Now says so
    renew(form);
  });
}

note?.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button === note.querySelector("button")) await undoLast();
  else await read(refused);
  await showHeld();
});

// A page that the browser kept whole, as it was left: what is filled in stands, but numbers may have been used.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-queue]")) renew(form);
  sendHeld();
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
    if ((await held()).length + (await refusals()).length && !confirm(form.dataset.left)) return;
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
  else await showHeld();
} catch {
  // this browser keeps nothing: forms go the usual way
}
if ("serviceWorker" in navigator && document.body.dataset.person) navigator.serviceWorker.register("/sw.js");
