//! The exported model: one safetensors file with its configuration and card in the metadata.

mod any;
mod card;
pub(crate) mod container;
pub(crate) mod file;

pub use any::AnyModelFile;
pub use card::{Card, NamedFactor};
pub use file::{ModelFile, Precision};
