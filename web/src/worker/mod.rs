//! The workers: they take tasks, hold the engine, send answers.
//!
//! Three programs are made of this, and a folder or a file says what each of them alone holds:
//!
//! - `front`, the page's worker ([`start`]): runs models on the CPU. It is fetched before the first picture, so it has
//!   nothing that can wait. What it lacks it hands to workers of its own.
//! - `gpu` (`start_gpu`): draws on WebGPU, or trains there, for those who have it, once it has proved itself. A model in
//!   training is lent to it by `later`.
//! - `later` ([`start_later`]): what most visits do without: holes, faces in photographs, and training. It is fetched when
//!   one of them is wanted.
//!
//! The end of one of the last two, should a driver, a device or the memory give up, ends nothing else. All three load
//! and draw with `models`, and these two train with a `learner`, behind a `desk`.

mod adapter;
mod agree;
mod desk;
mod draw;
pub mod fetch;
mod front;
// Native builds leave it out, since the backend takes minutes to compile; clippy compiles nothing.
#[cfg(all(feature = "gpu", any(target_arch = "wasm32", clippy)))]
mod gpu;
mod later;
mod learner;
mod models;
pub mod queue;
mod remote;
mod scope;
mod store;

pub use draw::check as check_source;
pub use front::start;
#[cfg(all(feature = "gpu", any(target_arch = "wasm32", clippy)))]
pub use gpu::start_gpu;
pub use later::start as start_later;
