// RG-Flow's own engine: the built page's worker, spoken to as the page speaks to it (web/src/messages.rs).

const PROTOCOL = 2;

export class Engine {
  #worker;
  #asked = new Map();
  #id = 0;
  /// What hears that the engine runs on something else.
  #runsOn = () => {};

  /// Starts the worker of the page at `base` and loads the model that the page opens with.
  static async start(base) {
    const engine = new Engine();
    await engine.#open(new URL("engine.js", base));
    const { models } = await (await fetch(new URL("models/index.json", base))).json();
    const model = models.find((entry) => entry.default) ?? models[0];
    await engine.#ask({ load: { base: new URL("models/", base).href, model } });
    engine.model = model.id;
    return engine;
  }

  #open(url) {
    this.#worker = new Worker(url, { type: "module" });
    return new Promise((resolve, reject) => {
      this.#worker.onerror = (event) => reject(Error(`the engine did not start: ${event.message}`));
      this.#worker.onmessage = ({ data: { id, kind } }) => {
        if (kind.hello) {
          if (kind.hello.protocol === PROTOCOL) resolve();
          else reject(Error(`the engine speaks protocol ${kind.hello.protocol}, this file ${PROTOCOL}`));
        } else if (kind.runs_on) this.#runsOn(kind.runs_on);
        else if (id === 0 && kind.failed) reject(Error(kind.failed.message));
        else this.#hear(id, kind);
      };
    });
  }

  #hear(id, kind) {
    const asked = this.#asked.get(id);
    if (kind.picture) return asked.pictures.push(kind.picture);
    if (kind.progress) return;
    this.#asked.delete(id);
    if (kind.failed) asked.reject(Error(kind.failed.message));
    else asked.resolve(asked.pictures);
  }

  #ask(kind) {
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject, pictures: [] });
      this.#worker.postMessage({ id, kind });
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
    return this.#ask({ sample: { seed: 7, indices, temperature: { levels: [0.8] } } });
  }

  end() {
    this.#worker.terminate();
  }
}
