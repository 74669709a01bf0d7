// Keeps the page itself, so that it opens when its server is away: who has the key in this browser can then use another node.
// Nothing that is read from a chain or a club is kept here.
const PAGE = "tessera.page";
/** A server that has not answered by then is taken for away: one that is switched off answers a phone after minutes, or never. */
const PATIENCE_MS = 6000;
const here = (path) => new URL(path, self.registration.scope).href;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

/** What is kept under a name; nothing where the browser keeps nothing. */
const known = (name) =>
  caches
    .open(PAGE)
    .then((kept) => kept.match(name))
    .catch(() => undefined);

/** Keeps an answer. A full disk, which keeps nothing, is no reason to withhold it from the page. */
async function keep(name, answer) {
  try {
    const kept = await caches.open(PAGE);
    // A new page has scripts of other names: those of the old one go.
    if (name === here("./") && (await (await kept.match(name))?.text()) !== (await answer.clone().text())) {
      for (const old of await kept.keys()) if (old.url.includes("/assets/")) await kept.delete(old);
    }
    await kept.put(name, answer);
  } catch {
    // It is asked for again the next time.
  }
}

/** From the network, and kept; from what is kept where the network is away or does not answer. */
async function newest(request, name) {
  const old = await known(name);
  const asked = fetch(request).then(async (answer) => {
    if (answer.ok) await keep(name, answer.clone());
    // What a proxy says whose server is away.
    return answer.status >= 500 && old ? old : answer;
  });
  if (!old) return asked;
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, old));
  return Promise.race([asked, late]).catch(() => old);
}

/** What never changes under its name. */
async function forGood(request) {
  const old = await known(request);
  if (old) return old;
  const answer = await fetch(request);
  if (answer.ok) await keep(request, answer.clone());
  return answer;
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  const folder = new URL(self.registration.scope).pathname;
  if (pathname === folder || pathname === `${folder}join`) event.respondWith(newest(request, here("./")));
  else if (pathname === `${folder}deployment.json`) event.respondWith(newest(request, here("deployment.json")));
  else if (pathname.startsWith(`${folder}assets/`)) event.respondWith(forGood(request));
});
