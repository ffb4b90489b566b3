// The page's first lines: loads the page's program, whose files the meta element names.
const root = document.documentElement;
const embed = new URLSearchParams(location.search).get("embed");
if (embed !== null) root.dataset.embed = embed;
try {
  const [js, wasm] = document.querySelector("meta[name=rg-flow-app]").content.split(" ");
  // On their way already while the page's own program starts. It asks for them by these addresses: web/src/app/link.rs
  // makes the version of the same name in the same way, and engine.js hands it on.
  const version = js.replaceAll(/[^0-9a-z]/gi, "");
  for (const file of ["engine.js", "worker.js", "worker_bg.wasm"]) {
    fetch(new URL(`${file}?v=${version}`, document.baseURI)).then((early) => early.blob()).catch(() => {});
  }
  const { default: init } = await import(new URL(js, document.baseURI).href);
  await init({ module_or_path: new URL(wasm, document.baseURI) });
} catch (error) {
  root.dataset.state = "error";
  document.getElementById("cover-title").textContent = "This page did not load in full, or needs a newer browser";
  document.getElementById("cover-detail").textContent = String(error);
  document.getElementById("progress").hidden = true;
}
// For visits without a network, once the page is there. Where a browser does not want this, or forbids it as it does in
// some frames, the page works all the same.
try {
  if (root.dataset.state !== "error") {
    await navigator.serviceWorker.register(new URL("offline.js", document.baseURI));
    const { keep } = await import(new URL("keep.js", document.baseURI).href);
    await keep((url) => /-[0-9a-f]{8,}[._]/.test(url));
  }
} catch {}
