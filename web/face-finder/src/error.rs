//! The one error type of this crate.

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The weights are not what they should be.
    #[error("the face finder’s file is damaged: {0}")]
    Damaged(String),
}

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;
