//! RG-Flow's native trainer: data sets, training, checkpoints, export and evaluation.

// Both panic where the output is closed or full; `output` has what does not.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod cli;
pub mod commands;
pub mod completion;
pub mod data;
pub mod device;
pub mod disentangle;
mod drawing;
pub mod engine;
pub mod error;
pub mod evaluate;
pub mod figure;
pub mod files;
mod guard;
pub mod latents;
pub mod neighbours;
pub mod official;
pub mod output;
pub mod ovals;
pub mod pca;
mod pickle;
pub mod pinwheel;
pub mod plot;
pub mod quality;
pub mod report;
pub mod sheet;
mod torch;
pub mod train;
