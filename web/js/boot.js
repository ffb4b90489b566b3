// The page's first lines: loads the page's program, whose files the meta element names.
const root = document.documentElement;
// Whatever asks for a program gets one of this page's own server, or none.
const isOwn = (url) => new URL(url, document.baseURI).origin === location.origin;
self.trustedTypes?.createPolicy("default", { createScriptURL: (url) => (isOwn(url) ? url : null) });
// The first samples, stored, until the engine has drawn them; not where the address asks for other pictures.
// web/src/app/page/preview.rs hands them to the panels; a canvas with data-preview="k" shows sample k even before.
const asked = new URLSearchParams(location.hash.slice(1));
const panel = asked.get("panel") ?? root.dataset.embed ?? "sample";
async function preview() {
  if (panel !== "sample" || ["model", "v", "weights", "seed", "t", "latents", "main", "depth", "tour"].some((key) => asked.has(key))) return;
  const stored = new Image();
  stored.src = new URL("pictures/first.png", document.baseURI);
  await stored.decode();
  const sheet = document.getElementById("preview");
  [sheet.width, sheet.height] = [stored.width, stored.height];
  sheet.getContext("2d", { willReadFrequently: true }).drawImage(stored, 0, 0);
  const edge = stored.width / 4;
  for (const canvas of document.querySelectorAll("canvas[data-preview]:not([data-painted])")) {
    const k = Number(canvas.dataset.preview);
    [canvas.width, canvas.height] = [edge, edge];
    canvas.getContext("2d", { willReadFrequently: true }).drawImage(sheet, -(k % 4) * edge, -Math.floor(k / 4) * edge);
    canvas.toggleAttribute("data-painted", true);
  }
  root.dataset.preview = "shown";
  sheet.toggleAttribute("data-painted", true);
  sheet.dispatchEvent(new Event("painted"));
}
const previewed = preview().catch(() => {});
// Another page's element, web/js/embed.js, makes room for all of it: only the height is told, which is no secret. Not less
// than where the style sheet becomes compact: a frame that follows this must not make the page follow it.
if (root.dataset.embed !== undefined && parent !== self) {
  new ResizeObserver(() => {
    const height = Math.max(528, Math.ceil(document.body.getBoundingClientRect().height));
    parent.postMessage({ rgFlow: { height } }, "*");
    // Where the other page wants its own height, one scrolls.
    setTimeout(() => innerHeight < height && delete root.dataset.fit, 1000);
  }).observe(document.body);
}
const [js, wasm] = document.querySelector("meta[name=rg-flow-app]").content.split(" ");
// The page's program asks for its workers by these addresses: web/src/app/worker_link.rs makes the version of the same name
// in the same way, and engine.js hands it on.
const version = `?v=${js.replaceAll(/[^0-9a-z]/gi, "")}`;
try {
  if (root.dataset.state === "error") throw new Error("A part of the page did not load.");
  // On their way already while the page's own program starts.
  const programs = ["inpaint", "train"].includes(panel) ? ["worker", "later"] : ["worker"];
  // A slow line has the stored samples first.
  previewed.then(() => {
    for (const file of ["engine.js", ...programs.flatMap((name) => [`${name}.js`, `${name}_bg.wasm`])]) {
      fetch(new URL(`${file}${version}`, document.baseURI)).then((early) => early.blob()).catch(() => {});
    }
  });
  const { default: init } = await import(new URL(js, document.baseURI).href);
  root.dataset.program = "here";
  await init({ module_or_path: new URL(wasm, document.baseURI) });
} catch (error) {
  self.cannotStart(`${error}.`);
}
// For visits without a network. Where a browser does not want this, or forbids it as it does in some frames, the page
// works all the same.
try {
  // Once the page is there: to keep its files takes as long as to draw the first pictures.
  await new Promise((resolve) => {
    const state = new MutationObserver(() => {
      if (["loading", "sampling"].includes(root.dataset.state)) return;
      state.disconnect();
      resolve();
    });
    state.observe(root, { attributeFilter: ["data-state"] });
  });
  if (root.dataset.state !== "error") {
    await navigator.serviceWorker.register(new URL("offline.js", document.baseURI));
    const { keep } = await import(new URL("keep.js", document.baseURI).href);
    const isOld = ({ search, searchParams }) => searchParams.has("v") && search !== version;
    await keep((url) => /-[0-9a-f]{8,}[._]/.test(url) || isOld(new URL(url)));
  }
} catch {}
