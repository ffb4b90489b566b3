//! The one error type of this crate.

/// What can go wrong with a model, its configuration or its weights.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A configuration that describes no model.
    #[error("model configuration: {0}")]
    Config(String),
    /// A weights file that is truncated, of another format or version, or of another model.
    #[error("weights: {0}")]
    Weights(String),
    /// A latent or pixel address outside the model.
    #[error("address: {0}")]
    Address(String),
    /// An input whose shape or values the model cannot take.
    #[error("input: {0}")]
    Input(String),
}

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;
