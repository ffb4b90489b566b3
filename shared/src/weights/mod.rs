//! The exported model: one safetensors file with its configuration and card in the metadata.

mod card;
mod file;

pub use card::Card;
pub use file::{FORMAT_VERSION, ModelFile, Precision};
