// The service worker: the network first, and what was kept where there is none or its server answers with an error.
// Models are kept by the engine.
importScripts("whole.js");

const CACHE = "rg-flow-page";
// Milliseconds before a network that is there but does not answer counts as none, where something was kept.
const PATIENCE = 3000;
// What is said where the page itself is all that could not be had.
const SORRY = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>RG-Flow</title><p>The copy of this page that the browser kept is damaged, and there is no network.
Connect to one, and load the page again.`;

self.addEventListener("install", (event) => {
  const first = ["./", "models/index.json"].map((name) => new URL(name, self.location).href);
  event.waitUntil(Promise.all(first.map(keepFirst)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin || url.pathname.endsWith(".safetensors")) return;
  const page = request.mode === "navigate";
  // The page is the same under every query: `?embed=mix`.
  const key = page ? url.origin + url.pathname : request.url;
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

async function keepFirst(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  await (await caches.open(CACHE)).put(url, await sealed(response));
}

async function store(key, copy, page) {
  try {
    const response = await copy;
    if (response.ok && isRight(response, page)) await (await caches.open(CACHE)).put(key, await sealed(response));
  } catch {
    // No network, or it broke off: what was kept stays.
  }
}

async function freshOrKept(key, fresh, page) {
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  const right = fresh.then((response) => (isRight(response, page) ? response : undefined), () => undefined);
  const soon = await Promise.race([right, late]);
  if (soon) return soon;
  const kept = await caches.match(key);
  if (!kept) return fresh;
  if (await isWhole(kept)) return kept;
  // Fetched anew as soon as there is a network.
  await (await caches.open(CACHE)).delete(key);
  if (!page) return fresh;
  return fresh.catch(() => new Response(SORRY, { status: 503, headers: { "content-type": "text/html" } }));
}
