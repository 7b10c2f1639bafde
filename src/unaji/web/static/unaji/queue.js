// Entries that wait in the phone (IndexedDB) until the server has said that it has them. The server knows each by the
// number it was given here, so that one which is sent twice is stored once.

const NAME = "unaji";

function open() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("entries", { keyPath: "n", autoIncrement: true });
      asked.result.createObjectStore("about");
    };
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

async function within(store, mode, use) {
  const base = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = base.transaction(store, mode, { durability: "strict" });
      const asked = use(transaction.objectStore(store));
      transaction.oncomplete = () => resolve(asked?.result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  } finally {
    base.close();
  }
}

const all = () => within("entries", "readonly", (store) => store.getAll());
export const remember = (person) => within("about", "readwrite", (store) => store.put(person, "person"));
const remembered = () => within("about", "readonly", (store) => store.get("person"));

const own = (person) => (one) => one.person === person;

// What waits of the person this phone is signed in for; what waits of somebody else waits for them.
export async function held() {
  return (await mine()).filter((one) => !one.refused);
}

// What the server would not take, with the reason, until somebody has read it.
export async function refusals() {
  return (await mine()).filter((one) => one.refused);
}

async function mine() {
  return (await all()).filter(own(await remembered()));
}

// Forgets what was refused, as it has been read.
export async function read(refused) {
  await within("entries", "readwrite", (store) => { for (const one of refused) store.delete(one.n); });
}

// Keeps an entry for the person who was last signed in; false where there is none: it would be given to the next one.
export async function keep(entry) {
  const person = await remembered();
  if (!person) return false;
  await within("entries", "readwrite", (store) => store.add({ ...entry, person, noted: Date.now() }));
  return true;
}

// Taking back an entry that waits: it may have arrived although no answer came, so that the server is told too.
export async function undoLast() {
  const last = (await held()).filter((one) => one.kind !== "withdraw").at(-1);
  if (!last) return;
  await within("entries", "readwrite", (store) => {
    store.delete(last.n);
    const { kind: of, client_id, at, typed, fields, person } = last;
    return store.add({ kind: "withdraw", of, client_id, at, typed, fields, person });
  });
}

// Forgets the person of this phone, and what waits of theirs.
export async function forget() {
  const person = await remembered();
  await read((await all()).filter(own(person)));
  await within("about", "readwrite", (store) => store.clear());
}

let sending = null;

// Sends what waits; only one sending at a time. What arrives meanwhile is sent with the next.
export async function send() {
  while (sending) await sending;
  sending = transmit();
  try {
    let state = await sending;
    while (state.more) {
      const next = await (sending = transmit());
      state = { ...next, refused: { ...state.refused, ...next.refused }, stored: { ...state.stored, ...next.stored } };
    }
    return state;
  } finally {
    sending = null;
  }
}

async function transmit() {
  try {
    const entries = await held();
    if (!entries.length) return {};
    const options = { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(8000) };
    const greeting = await fetch("/now/sync", options);
    if (greeting.status === 401) return { signedOut: true };
    if (!greeting.ok) return {};
    const { token, person } = await greeting.json();
    const these = entries.filter(own(person)).slice(0, 50);
    if (!these.length) return {};
    const answer = await fetch("/now/sync", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token },
      body: JSON.stringify({ person, now: new Date().toISOString(),
        entries: these.map(({ kind, of, client_id, at, typed, fields }) => ({ kind, of, client_id, at, typed, fields })) }),
      signal: AbortSignal.timeout(8000),
    });
    if (!answer.ok) return {};
    const { stored, refused } = await answer.json();
    const done = these.filter((one) => one.client_id in stored || one.client_id in refused);
    await within("entries", "readwrite", (store) => {
      for (const one of done) {
        if (one.client_id in stored || one.kind === "withdraw") store.delete(one.n);
        else refuse(store, one.n, refused[one.client_id]);
      }
    });
    return { stored, refused, more: entries.length > these.length && done.length > 0 };
  } catch {
    return {}; // no network now
  }
}

// Marks an entry as refused, unless it was taken back or set right while it was on its way.
function refuse(store, n, why) {
  const asked = store.get(n);
  asked.onsuccess = () => { if (asked.result) store.put({ noted: Date.now(), ...asked.result, refused: why }); };
}
