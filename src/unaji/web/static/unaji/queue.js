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

// What waits of the person this phone is signed in for; what waits of somebody else waits for them.
export async function held() {
  const person = await remembered();
  return (await all()).filter((one) => one.person === undefined || one.person === person);
}

export async function keep(entry) {
  const person = await remembered();
  return within("entries", "readwrite", (store) => store.add({ ...entry, person }));
}

// Taking back an entry that waits: it may have arrived although no answer came, so that the server is told too.
export async function undoLast() {
  const entries = await held();
  const last = entries.filter((one) => one.kind !== "withdraw").at(-1);
  if (!last) return;
  await within("entries", "readwrite", (store) => store.delete(last.n));
  if (last.kind === "episode") await keep({ kind: "withdraw", client_id: last.client_id, at: last.at });
}

export async function clear() {
  await within("entries", "readwrite", (store) => store.clear());
  await within("about", "readwrite", (store) => store.clear());
}

let sending = null;

// Sends what waits; only one sending at a time. What arrives meanwhile is sent with the next.
export async function send() {
  if (sending) await sending;
  sending = transmit();
  try {
    return await sending;
  } finally {
    sending = null;
  }
}

async function transmit() {
  const entries = await held();
  if (!entries.length) return {};
  try {
    const options = { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(8000) };
    const greeting = await fetch("/now/sync", options);
    if (greeting.status === 401) return { signedOut: true };
    if (!greeting.ok) return {};
    const { token, person } = await greeting.json();
    const own = entries.filter((one) => one.person === undefined || one.person === person).slice(0, 200);
    if (!own.length) return {};
    const answer = await fetch("/now/sync", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token },
      body: JSON.stringify({ person, entries: own.map(({ kind, client_id, at }) => ({ kind, client_id, at })) }),
      signal: AbortSignal.timeout(8000),
    });
    if (!answer.ok) return {};
    const { stored, refused } = await answer.json();
    const done = own.filter((one) => one.client_id in stored || one.client_id in refused);
    await within("entries", "readwrite", (store) => { for (const one of done) store.delete(one.n); });
    return { stored, refused: Object.keys(refused).length > 0 };
  } catch {
    return {}; // no network now
  }
}
