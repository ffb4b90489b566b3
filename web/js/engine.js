// A worker's first lines: loads the engine, or, in the worker of that name, the engine on WebGPU. The address's `?v=`
// keeps a new page from an old page's files.
const program = self.name === "gpu" ? "gpu" : "worker";
const version = self.location.search;
try {
  const { default: init } = await import(`./${program}.js${version}`);
  await init({ module_or_path: new URL(`${program}_bg.wasm${version}`, import.meta.url) });
  import("./keep.js").then(({ keep }) =>
    keep((url) => new URL(url).searchParams.has("v") && new URL(url).search !== version),
  );
} catch (error) {
  // A response as web/src/messages.rs spells it.
  postMessage({ id: 0, kind: { failed: { message: `The engine did not start. ${error}` } } });
}
