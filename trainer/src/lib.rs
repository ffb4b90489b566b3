//! RG-Flow's native trainer: data sets, training, checkpoints, export and evaluation.

// Both panic where the output is closed or full; `output` has what does not.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod args;
pub mod cli;
pub mod commands;
pub mod completion;
pub mod data;
pub mod device;
pub mod drawing;
pub mod engine;
pub mod error;
pub mod evaluate;
pub mod figures;
pub mod files;
pub mod identity;
pub mod latents;
pub mod lattice;
pub mod open;
pub mod output;
pub mod outputs;
mod panics;
pub mod pca;
mod pickle;
pub mod progress;
pub mod quality;
pub mod signals;
pub mod train;
