// Counts what a program asks of its GPU. Imported before anything else in the page and in the engine's worker; asked
// over a BroadcastChannel, since the engine does not know of it.

const count = { dispatches: 0, submits: 0, readbacks: 0 };

function counted(type, method, what) {
  const original = type?.prototype[method];
  if (!original) return;
  type.prototype[method] = function (...given) {
    count[what] += 1;
    return original.apply(this, given);
  };
}

counted(self.GPUComputePassEncoder, "dispatchWorkgroups", "dispatches");
counted(self.GPUComputePassEncoder, "dispatchWorkgroupsIndirect", "dispatches");
counted(self.GPUQueue, "submit", "submits");
counted(self.GPUBuffer, "mapAsync", "readbacks");

const where = self.document ? "page" : "worker";
new BroadcastChannel(`ask-${where}`).onmessage = () => new BroadcastChannel("told").postMessage({ where, ...count });

/// What has been asked of the GPU so far by the "page" or the "worker".
export function asked(where) {
  const told = new BroadcastChannel("told");
  const heard = new Promise((resolve) => {
    told.onmessage = ({ data }) => data.where === where && resolve(data);
  });
  new BroadcastChannel(`ask-${where}`).postMessage("how many?");
  return heard.finally(() => told.close());
}
