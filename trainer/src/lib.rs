//! RG-Flow's native trainer: data sets, training, checkpoints, export and evaluation.

pub mod cli;
pub mod commands;
pub mod completion;
pub mod data;
pub mod device;
pub mod disentangle;
pub mod engine;
pub mod error;
pub mod evaluate;
pub mod figure;
mod guard;
pub mod latents;
pub mod neighbours;
pub mod official;
pub mod ovals;
mod pickle;
pub mod pinwheel;
pub mod plot;
pub mod report;
pub mod sheet;
mod torch;
pub mod train;
