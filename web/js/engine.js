// The worker's first lines: loads the engine. The address's `?v=` keeps a new page from an old page's files.
const version = self.location.search;
try {
  const { default: init } = await import(`./worker.js${version}`);
  await init({ module_or_path: new URL(`worker_bg.wasm${version}`, import.meta.url) });
} catch (error) {
  // A response as web/src/messages.rs spells it.
  postMessage({ id: 0, kind: { failed: { message: `The engine did not start. ${error}` } } });
}
