// The service worker: the network first, and what was kept where there is none. Models are kept by the engine.
const CACHE = "rg-flow-page";

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
  event.respondWith(
    fetch(request).then(
      (response) => {
        const copy = response.clone();
        if (response.ok) event.waitUntil(caches.open(CACHE).then((cache) => cache.put(key, copy)));
        return response;
      },
      async (error) => {
        const kept = await caches.match(key);
        if (kept) return kept;
        throw error;
      },
    ),
  );
});
