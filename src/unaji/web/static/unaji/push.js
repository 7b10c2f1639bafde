// Lets this browser be notified: asks the person, subscribes with our public key, and tells the server where.
const form = document.querySelector("form[data-push]");

function bytes(base64url) {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

const same = (one, other) => one.length === other.length && one.every((byte, i) => byte === other[i]);

async function subscription(key) {
  const worker = await navigator.serviceWorker.register("/sw.js");
  await navigator.serviceWorker.ready;
  const held = await worker.pushManager.getSubscription();
  const known = held?.options.applicationServerKey;
  if (held && known && same(new Uint8Array(known), key)) return held;
  await held?.unsubscribe(); // it was made for another key of ours, with which nothing can be sent any more
  return worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

// Gives "" when it is done, else what to say.
async function subscribe() {
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return "missing";
  if ((await Notification.requestPermission()) !== "granted") return "denied";
  try {
    const where = await subscription(bytes(form.dataset.push));
    const answer = await fetch(form.dataset.pushTo, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
      body: JSON.stringify({ ...where.toJSON(), consent: form.elements.consent?.checked ? "yes" : "" }),
      signal: AbortSignal.timeout(10000),
    });
    return answer.ok ? "" : "failed";
  } catch {
    return "failed";
  }
}

form.addEventListener("submit", async (event) => {
  if (!form.elements.by_push.checked) return;
  event.preventDefault();
  for (const note of form.querySelectorAll("[data-push-says]")) note.hidden = true;
  const trouble = await subscribe();
  if (!trouble) return form.submit();
  form.elements.by_push.checked = false;
  const note = form.querySelector(`[data-push-says=${trouble}]`);
  note.hidden = false;
  note.scrollIntoView({ block: "center" });
});
