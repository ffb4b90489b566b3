// An exported model in ONNX Runtime Web, from its dist files in `ort/`.

// The build with WebGPU is made to be interrupted anywhere, which slows its CPU down: the CPU has a build of its own.
const BUILDS = { wasm: "./ort/ort.wasm.min.mjs", webgpu: "./ort/ort.webgpu.min.mjs" };

/// A session and the fixed latents that it decodes.
export class Decoder {
  static async load(url, provider) {
    const ort = await import(BUILDS[provider]);
    ort.env.wasm.wasmPaths = new URL("./ort/", import.meta.url).href;
    ort.env.wasm.numThreads = 1;
    const decoder = new Decoder();
    decoder.session = await ort.InferenceSession.create(url, { executionProviders: [provider] });
    const { shape } = decoder.session.inputMetadata[0];
    decoder.batch = shape[0];
    decoder.latents = new ort.Tensor("float32", latents(shape.reduce((a, b) => a * b)), shape);
    return decoder;
  }

  /// The images' logits, on the CPU.
  async run() {
    const { image } = await this.session.run({ latents: this.latents });
    return image.getData();
  }

  release() {
    return this.session.release();
  }
}

/// From the Laplace prior at temperature 0.8, the same every time.
function latents(count) {
  let state = 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const u = (state + 0.5) / 2 ** 32 - 0.5;
    return -0.8 * Math.SQRT1_2 * Math.sign(u) * Math.log(1 - 2 * Math.abs(u));
  });
}
