//! The trainer as a whole, in one program: each would be linked with every backend.

// A test's helpers may fail as the test itself does.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod candle_reader;
mod candle_real_nvp;
mod commands;
mod events;
mod finite;
#[cfg(any(feature = "cuda", feature = "wgpu"))]
mod gpu;
mod inputs;
mod kills;
mod layouts;
mod official;
mod outside;
mod pictures;
mod python;
mod readme;
mod runs;
mod started;
mod ten_steps;
mod training;
mod trouble;
