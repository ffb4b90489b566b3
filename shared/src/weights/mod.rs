//! The exported model: one safetensors file with its configuration and card in the metadata.

mod any;
mod card;
pub(crate) mod container;
pub(crate) mod file;
mod keys;

pub use any::AnyModelFile;
pub use card::{Card, NamedFactor};
pub use container::to_safetensors;
pub use file::{ModelFile, Precision};
