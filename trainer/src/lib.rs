//! RG-Flow's native trainer.

pub mod data;
pub mod error;
