// Keeps what this page or worker was made of, for visits without a network. The first visit's files have passed the
// service worker by, which was not there yet; the browser has them still and loads nothing twice.
import "./whole.js";

// `old` tells of a kept address whether it belongs to another version.
export async function keep(old) {
  try {
    const cache = await caches.open("rg-flow-page");
    const here = performance.getEntriesByType("resource").map((entry) => entry.name);
    // A worker's own script is among the page's resources in some browsers only.
    if (!self.document) here.push(self.location.href);
    const files = here.filter((name) => name.startsWith(self.location.origin) && !name.includes(".safetensors"));
    await Promise.all(files.map((name) => keepFile(cache, name)));
    if (self.document) await keepPage(cache);
    const kept = (await cache.keys()).map((request) => request.url);
    await Promise.all(kept.filter((url) => !files.includes(url) && old(url)).map((url) => cache.delete(url)));
  } catch {
    // No room, no permission or no secure origin: the page works all the same.
  }
}

async function keepFile(cache, name) {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  await cache.put(name, await self.sealed(response));
}

// The page itself, now that it has loaded in full: the service worker put it aside. It may be another one already.
async function keepPage(cache) {
  const key = location.origin + location.pathname;
  const fresh = await cache.match(`${key}?fresh`);
  const files = document.querySelector("meta[name=rg-flow-app]").content;
  if (fresh && (await fresh.clone().text()).includes(files)) await cache.put(key, fresh);
}
