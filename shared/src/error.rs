//! The one error type of this crate.

/// What can go wrong with a model, its configuration or its weights.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A configuration that does not describe a model.
    #[error("model configuration: {0}")]
    Config(String),
    /// A weights file that is truncated, or has another format, version or model.
    #[error("weights: {0}")]
    Weights(String),
    /// The address of a latent or pixel that is outside the model.
    #[error("address: {0}")]
    Address(String),
    /// An input with a shape or values that the model cannot take.
    #[error("input: {0}")]
    Input(String),
    /// A value that training cannot work with.
    #[error("recipe: {field}: {problem}")]
    Recipe {
        /// The field of [`Recipe`](crate::train::Recipe).
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;
