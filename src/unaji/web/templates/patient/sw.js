// Keeps the shell (styles, scripts, the screens of nobody's on which something is written) for when there is no network.
// Nothing of a person is kept here.
const SHELLS = {{ shells|safe }}; // address of a screen: what is shown in its place
const OTHERWISE = {{ otherwise|safe }};
const ASSETS = {{ assets|safe }};
const CACHE = "{{ cache }}";

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll([...Object.values(SHELLS), ...ASSETS])).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys()
      .then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim())
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const { pathname, origin } = new URL(request.url);
  if (origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match(SHELLS[pathname] ?? OTHERWISE)));
  } else if (ASSETS.includes(pathname)) {
    event.respondWith(caches.match(pathname).then((kept) => kept || fetch(request)));
  }
});

self.addEventListener("push", (event) => {
  const { title = "unaji", body = "", to = "/now", lang = "" } = event.data?.json() ?? {};
  const look = { body, lang, tag: "unaji", icon: "{{ icon }}", data: { to } };
  event.waitUntil(self.registration.showNotification(title, look));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const to = new URL(event.notification.data?.to ?? "/now", self.location.origin);
  if (to.origin !== self.location.origin) return;
  event.waitUntil(
    self.clients.matchAll({ type: "window" }).then(([open]) => {
      const fresh = () => self.clients.openWindow(to);
      return open ? open.focus().then((one) => one.navigate(to)).catch(fresh) : fresh();
    })
  );
});
