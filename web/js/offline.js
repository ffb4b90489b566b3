// The service worker: the network first, and what was kept where there is none or its server answers with an error.
// Models are kept by the engine.
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
  const page = request.mode === "navigate";
  // The page is the same under every query: `?embed=mix`.
  const key = page ? url.origin + url.pathname : request;
  const fresh = fetch(request);
  // Copied before anyone reads it. A page replaces the one that is kept when all of its files are here: keep.js.
  event.waitUntil(store(page ? `${key}?fresh` : key, fresh.then((response) => response.clone()), page));
  event.respondWith(freshOrKept(key, fresh, page));
});

// Whether a server's answer is what was asked for. A redirect is; a network that wants a login has its own page for
// every script.
function isRight(response, page) {
  return response.status < 400 && (page || !response.headers.get("content-type")?.startsWith("text/html"));
}

async function store(key, copy, page) {
  const response = await copy.catch(() => undefined);
  if (response?.ok && isRight(response, page)) await (await caches.open(CACHE)).put(key, response);
}

async function freshOrKept(key, fresh, page) {
  const kept = await caches.match(key);
  if (!kept) return fresh;
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE, kept));
  return Promise.race([fresh.then((response) => (isRight(response, page) ? response : kept), () => kept), late]);
}
