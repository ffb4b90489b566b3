//! The trainer as a whole, in one program: each would be linked with every backend.

// A test's helpers may fail as the test itself does.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod candle_reader;
#[cfg(feature = "wgpu")]
mod gpu;
mod inputs;
mod official;
mod pictures;
mod training;
