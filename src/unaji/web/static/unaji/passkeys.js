// Passkeys: asks the device for one, or to make one, and sends what it says with the form.
//
// <form data-passkey="create"> and <form data-passkey="get">: a button [data-ask], a hidden field `credential`, and
// what the server asks for in <script type="application/json" id="js_data">, or at the form's own address. With
// data-offer, a field with autocomplete="… webauthn" offers passkeys too, among what the browser fills in by itself.

const form = document.querySelector("form[data-passkey]");

const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const known = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

async function wanted() {
  const written = document.getElementById("js_data");
  if (written) return JSON.parse(written.textContent);
  const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`passkey: the server answered ${answer.status}`);
  return answer.json();
}

async function make() {
  const { publicKey } = (await wanted()).creation_options;
  return navigator.credentials.create({
    publicKey: {
      ...publicKey,
      challenge: bytes(publicKey.challenge),
      user: { ...publicKey.user, id: bytes(publicKey.user.id) },
      excludeCredentials: known(publicKey.excludeCredentials),
      // kept by the device and opened by face, finger or PIN: it replaces the address and the password
      authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
    },
  });
}

let asked = null; // what the server asks for, kept until it was answered: a second question would void the first

async function ask(more) {
  asked ??= wanted();
  const { publicKey } = (await asked).request_options;
  return navigator.credentials.get({
    publicKey: {
      ...publicKey,
      challenge: bytes(publicKey.challenge),
      allowCredentials: known(publicKey.allowCredentials),
    },
    ...more,
  });
}

// A browser asks for one passkey at a time, so that the offer ends where the button is pressed.
let offered = null;

async function offer() {
  if (!form.dataset.offer || !(await window.PublicKeyCredential?.isConditionalMediationAvailable?.())) return;
  offered = new AbortController();
  try {
    send(await ask({ mediation: "conditional", signal: offered.signal }));
  } catch {
    // not taken, or the button was pressed: nobody asked for anything that could have failed
    if (!offered.signal.aborted) asked = null;
  }
}

function written(credential) {
  const { response } = credential;
  const said = { clientDataJSON: text(response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) said[name] = text(response[name]);
  }
  if (response.getTransports) said.transports = response.getTransports();
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: said,
  });
}

function send(credential) {
  form.elements.credential.value = written(credential);
  form.submit();
}

if (form) {
  const button = document.querySelector("[data-ask]");
  const failed = document.querySelector("[data-passkey-failed]");
  if (!window.PublicKeyCredential) {
    button.hidden = true;
    document.querySelector("[data-passkey-missing]").hidden = false;
  }
  button.addEventListener("click", async () => {
    failed.hidden = true;
    button.disabled = true;
    offered?.abort();
    try {
      send(await (form.dataset.passkey === "create" ? make() : ask()));
    } catch {
      // turned away by the person or the device: which of them is not told, and nothing was changed
      asked = null;
      failed.hidden = false;
      failed.focus();
      button.disabled = false;
    }
  });
  offer();
}
