// The page's first lines: loads the page's program, whose files the meta element names.
const root = document.documentElement;
try {
  const [js, wasm] = document.querySelector("meta[name=rg-flow-app]").content.split(" ");
  const { default: init } = await import(new URL(js, document.baseURI).href);
  await init({ module_or_path: new URL(wasm, document.baseURI) });
} catch (error) {
  root.dataset.state = "error";
  document.getElementById("cover-title").textContent = "This page did not load in full, or needs a newer browser";
  document.getElementById("cover-detail").textContent = String(error);
  document.getElementById("progress").hidden = true;
}
