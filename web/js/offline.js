// The service worker: the network first, and what was kept where there is none. Models are kept by the engine.
const CACHE = "rg-flow-page";
// Milliseconds before a network that is there but does not answer counts as none, where something was kept.
const PATIENCE = 3000;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(["./", "models/index.json"])).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin || url.pathname.endsWith(".safetensors")) return;
  // The page is the same under every query: `?embed=mix`.
  const key = request.mode === "navigate" ? url.origin + url.pathname : request;
  const fresh = fetch(request);
  // Copied before anyone reads it.
  event.waitUntil(store(key, fresh.then((response) => response.clone())));
  event.respondWith(freshOrKept(key, fresh));
});

async function store(key, copy) {
  const response = await copy.catch(() => undefined);
  if (response?.ok) await (await caches.open(CACHE)).put(key, response);
}

async function freshOrKept(key, fresh) {
  const kept = await caches.match(key);
  if (!kept) return fresh;
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE, kept));
  return Promise.race([fresh.catch(() => kept), late]);
}
