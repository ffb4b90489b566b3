// Times RG-Flow's engine and ONNX Runtime Web in turns; `window.result` is the medians in ms per image, and in `best` the
// shortest times, which say more on a machine that is busy with something else.
//
//   ort.html?onnx=faces-1.onnx&onnx=faces-16.onnx&engine=rgflow/&repeats=30&seconds=60
//
// Without `engine` only the ONNX files are run; `webgpu=no` leaves WebGPU out.

import { asked } from "./counting.mjs";
import { Engine } from "./engine.mjs";
import { Decoder } from "./ort.mjs";

const query = new URLSearchParams(location.search);
const FILES = query.getAll("onnx");
const REPEATS = Number(query.get("repeats") ?? 30);
const SECONDS = Number(query.get("seconds") ?? 60);
/// Whatever the time.
const LEAST = 3;
/// Runs before the clock counts; one is enough of what takes longer than a second.
const WARM_UP = 3;
const SLOW = 1000;

const result = { user_agent: navigator.userAgent, best: {}, calls: {}, notes: [] };
// For whoever has no patience.
window.partial = result;

function say(line) {
  document.querySelector("#log").append(`${line}\n`);
  console.log(line);
}

function note(what, error) {
  result.notes.push(`${what}: ${error?.message ?? error}`);
  say(result.notes.at(-1));
}

async function decoders(provider) {
  const loaded = [];
  for (const file of FILES) {
    try {
      loaded.push(await Decoder.load(file, provider));
    } catch (error) {
      note(`ort/${provider} with ${file}`, error);
    }
  }
  return loaded;
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/// Turn by turn, so that whatever else the machine does slows all down alike.
async function race(contenders) {
  const times = new Map();
  for (const { name, run } of contenders) {
    try {
      const start = performance.now();
      for (let i = 0; i < WARM_UP && (i === 0 || performance.now() - start < SLOW); i++) await run();
      times.set(name, []);
    } catch (error) {
      note(name, error);
    }
  }
  const left = contenders.filter(({ name }) => times.has(name));
  const end = performance.now() + SECONDS * 1000;
  for (let i = 0; left.length && i < REPEATS && (i < LEAST || performance.now() < end); i++) {
    for (const { name, images, run } of left) {
      const start = performance.now();
      await run();
      times.get(name).push((performance.now() - start) / images);
    }
  }
  for (const [name, values] of times) {
    result[name] = Number(median(values).toFixed(3));
    result.best[name] = Number(Math.min(...values).toFixed(3));
    say(`${name}: ${result[name]} ms per image, median of ${values.length}`);
  }
}

function contenders(engine, backend, decoders, provider) {
  const batches = decoders.length ? decoders.map(({ batch }) => batch) : [1, 16];
  const ours = batches.map((images) => ({
    name: `rgflow/${backend}/${images}`,
    images,
    run: () => engine.sample(images),
  }));
  const theirs = decoders.map((decoder) => ({
    name: `ort/${provider}/${decoder.batch}`,
    images: decoder.batch,
    run: () => decoder.run(),
  }));
  return [...(engine ? ours : []), ...theirs];
}

async function cpu(engine) {
  await engine?.use("cpu");
  const loaded = await decoders("wasm");
  await race(contenders(engine, "cpu", loaded, "wasm"));
  return loaded;
}

/// How much is asked of the GPU for one run.
async function count(contenders) {
  for (const { name, run } of contenders) {
    const where = name.startsWith("rgflow/") ? "worker" : "page";
    const before = await asked(where);
    await run();
    const after = await asked(where);
    const keys = ["dispatches", "submits", "readbacks"];
    result.calls[name] = Object.fromEntries(keys.map((key) => [key, after[key] - before[key]]));
    say(`${name}: ${JSON.stringify(result.calls[name])}`);
  }
}

async function gpu(engine, onCpu) {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) return note("webgpu", "there is no adapter");
  const { vendor, architecture, description, isFallbackAdapter } = adapter.info;
  result.adapter = { vendor, architecture, description, software: isFallbackAdapter ?? false };
  if (engine) {
    try {
      note("rgflow/webgpu", await engine.use("gpu"));
    } catch (error) {
      note("rgflow/webgpu", error);
      engine = null;
    }
  }
  const loaded = await decoders("webgpu");
  for (const [i, decoder] of loaded.entries()) {
    if (!onCpu[i]) continue;
    const [here, there] = [await onCpu[i].run(), await decoder.run()];
    const off = here.reduce((most, value, k) => Math.max(most, Math.abs(value - there[k])), 0);
    note(`ort/webgpu/${decoder.batch}`, `logits differ from the CPU's by ${off.toExponential(1)} at most`);
  }
  const all = contenders(engine, "webgpu", loaded, "webgpu");
  await race(all);
  await count(all.filter(({ name }) => name in result));
}

try {
  const engine = query.has("engine") ? await Engine.start(new URL(query.get("engine"), location.href)) : null;
  if (engine) result.model = engine.model;
  const onCpu = await cpu(engine);
  if (query.get("webgpu") !== "no") await gpu(engine, onCpu);
} catch (error) {
  result.error = String(error?.stack ?? error);
  say(result.error);
}
window.result = result;
