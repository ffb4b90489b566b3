//! The worker: takes tasks, holds the engine, sends answers.
//!
//! Two programs are made of this. [`start`] is the page's worker: it runs models on the CPU, and hands drawing to the
//! second one once that has proved itself. `start_gpu` is that second one, a worker of the worker with WebGPU in it:
//! a bundle that only those fetch who have a GPU, and whose end, should a driver or a device give up, ends nothing
//! else. Both load and draw with `models`, behind a `desk`; what else is done with a picture (`edit`) is the CPU's. In a worker
//! of the name [`TRAINER`] the page's program trains a model instead (`train`).

mod adapter;
mod beside;
mod desk;
mod draw;
mod edit;
mod faces;
pub mod fetch;
mod front;
// Native builds leave it out, since the backend takes minutes to compile; clippy compiles nothing.
#[cfg(all(feature = "gpu", any(target_arch = "wasm32", clippy)))]
mod gpu;
mod models;
pub mod queue;
mod race;
mod remote;
mod scope;
mod store;
mod train;
mod trial;

pub use draw::check as check_source;
#[cfg(all(feature = "gpu", any(target_arch = "wasm32", clippy)))]
pub use gpu::start_gpu;

use crate::protocol::TRAINER;

/// Starts the page's worker, or by its name the one that trains.
pub fn start() {
    if scope::scope().name() == TRAINER { train::start() } else { front::start() }
}
