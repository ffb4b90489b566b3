// A worker's first lines: by its name it loads its program, of those in web/src/bin. The address's `?v=` keeps a new page
// from an old page's files.
const program = { gpu: "gpu", "train-gpu": "gpu", helper: "later", train: "later", hand: "later" }[self.name] ?? "worker";
const version = self.location.search;
// A response as web/src/protocol spells it.
const fail = (message) => postMessage({ worker: { failed: { message } } });
if (["gpu", "helper", "train-gpu", "hand"].includes(self.name)) {
  // Left alone, it would count as a breakdown of the worker that started this one, and then of the page's.
  self.addEventListener("error", (event) => {
    event.preventDefault();
    fail(`it broke down. ${event.message}`);
  });
}
try {
  const { default: init } = await import(`./${program}.js${version}`);
  await init({ module_or_path: new URL(`${program}_bg.wasm${version}`, import.meta.url) });
  // The page keeps what it starts with itself, when there are pictures; a hand's program is kept by the worker that starts it.
  if (program !== "worker" && self.name !== "hand") {
    const isOld = ({ search, searchParams }) => searchParams.has("v") && search !== version;
    import("./keep.js").then(({ keep }) => keep((url) => isOld(new URL(url)))).catch(() => {});
  }
} catch (error) {
  fail(`The engine did not start. ${error}`);
}
