//! The exported model: one safetensors file with its configuration and card in the metadata.

mod any;
mod card;
mod container;
mod grown;
mod keys;
mod placed;
mod real_nvp;
mod rg_flow;
mod trainable;

pub use any::AnyModelFile;
pub use card::{Card, NamedFactor};
pub use container::{Precision, to_safetensors};
pub use real_nvp::RealNvpFile;
pub use rg_flow::ModelFile;
