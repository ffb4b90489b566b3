// RG-Flow's own engine: the built page's worker, spoken to as the page speaks to it (web/src/protocol).

const PROTOCOL = 11;
/// The model that the ONNX files are made of: xtask/src/bench.rs.
const MODEL = "faces32";

export class Engine {
  #worker;
  #asked = new Map();
  #id = 0;
  /// What hears that the engine runs on something else.
  #runsOn = () => {};

  /// Starts the worker of the page at `base` and loads the model.
  static async start(base) {
    const engine = new Engine();
    await engine.#open(new URL("engine.js", base));
    const { models } = await (await fetch(new URL("models/index.json", base))).json();
    const model = models.find((entry) => entry.id === MODEL);
    await engine.#ask({ load: { listed: { base: new URL("models/", base).href, model } } });
    engine.model = model.id;
    return engine;
  }

  #open(url) {
    this.#worker = new Worker(url, { type: "module" });
    return new Promise((resolve, reject) => {
      this.#worker.onerror = (event) => reject(Error(`the engine did not start: ${event.message}`));
      this.#worker.onmessage = ({ data: { worker, part, last } }) => {
        if (worker?.hello) {
          if (worker.hello.protocol === PROTOCOL) resolve();
          else reject(Error(`the engine speaks protocol ${worker.hello.protocol}, this file ${PROTOCOL}`));
        } else if (worker?.runs_on) this.#runsOn(worker.runs_on);
        else if (worker?.failed) reject(Error(worker.failed.message));
        else if (part) this.#hear(part);
        else this.#end(last);
      };
    });
  }

  #hear({ id, part }) {
    if (part.picture) this.#asked.get(id).pictures.push(part.picture);
  }

  #end({ id, last }) {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (last.failed) asked.reject(Error(last.failed.message));
    else asked.resolve(asked.pictures);
  }

  #ask(task) {
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject, pictures: [] });
      this.#worker.postMessage({ serve: { id, task } });
    });
  }

  /// Has pictures made on "cpu" or "gpu"; an error if the engine decides otherwise.
  async use(backend) {
    const decided = new Promise((resolve, reject) => {
      this.#runsOn = ({ backend: chosen, note }) => {
        if (chosen === backend) resolve(note);
        // Without a note, or with this one, it has yet to decide.
        else if (note && !note.startsWith("Trying")) reject(Error(note));
      };
    });
    await this.#ask({ use: { backend } });
    return decided;
  }

  /// Draws pictures; each is { index, size, rgba, bits, millis }.
  sample(count) {
    const indices = Array.from({ length: count }, (_, i) => i);
    return this.#ask({ draw: { samples: { seed: 7, indices, drawing: { latents: "independent", temperature: { levels: [0.8] } } } } });
  }

  end() {
    this.#worker.terminate();
  }
}
