// Keeps the page itself, so that it opens when its server is away: who has the key in this browser can then use another node.
// Nothing that is read from a chain or a club is kept here.
const PAGE = "tessera.page";
const here = (path) => new URL(path, self.registration.scope).href;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

/** From the network, and kept; from what is kept where the network is away. */
async function newest(request, name) {
  const kept = await caches.open(PAGE);
  try {
    const answer = await fetch(request);
    if (answer.ok) {
      // A new page has scripts of other names: those of the old one go.
      if (name === here("./") && (await (await kept.match(name))?.text()) !== (await answer.clone().text())) {
        for (const old of await kept.keys()) if (old.url.includes("/assets/")) await kept.delete(old);
      }
      await kept.put(name, answer.clone());
    }
    return answer;
  } catch (error) {
    const known = await kept.match(name);
    if (known) return known;
    throw error;
  }
}

/** What never changes under its name. */
async function forGood(request) {
  const kept = await caches.open(PAGE);
  const known = await kept.match(request);
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok) await kept.put(request, answer.clone());
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
