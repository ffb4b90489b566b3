//! The one error type of this crate.

use wasm_bindgen::JsValue;

/// What can go wrong in the page or its worker. The texts are for the page's reader.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The list of models is not what it should be.
    #[error("the list of models is damaged: {0}")]
    Index(String),
    /// The server answered, but not with the file.
    #[error("{what} could not be fetched: the server answered {status}")]
    Http {
        /// What was asked for.
        what: String,
        /// The HTTP status.
        status: u16,
    },
    /// No answer came.
    #[error("{what} could not be fetched: no answer; is this device offline?")]
    Offline {
        /// What was asked for.
        what: String,
    },
    /// The download broke off.
    #[error("{what} arrived incomplete: {loaded} of {total} bytes")]
    Truncated {
        /// What was asked for.
        what: String,
        /// Bytes that came.
        loaded: u64,
        /// Bytes that should have come.
        total: u64,
    },
    /// More bytes than were announced, or than this page takes.
    #[error("{what} is larger than the expected {limit} bytes")]
    TooLarge {
        /// What was asked for.
        what: String,
        /// The most that is taken.
        limit: u64,
    },
    /// Not the bytes that the list of models names.
    #[error("{what} arrived damaged: its SHA-256 is not the one in the list")]
    Digest {
        /// What was asked for.
        what: String,
    },
    /// The model cannot be used.
    #[error(transparent)]
    Model(#[from] shared::Error),
    /// The model's numbers grow beyond all bounds.
    #[error("the model’s numbers overflow here: lower the temperature, or use other weights")]
    Overflow,
    /// The weights of the face finder are not what they should be.
    #[error(transparent)]
    Faces(#[from] face_finder::Error),
    /// A model that cannot be trained, or not like this. The text says why.
    #[error("{0}")]
    Learning(String),
    /// A request that the engine cannot serve.
    #[error("the engine cannot do that: {0}")]
    Request(String),
    /// The GPU cannot do, or cannot be trusted with, what the CPU does.
    #[error("WebGPU is not used: {0}")]
    Gpu(String),
    /// The front's helper is gone, or did not come.
    #[error("the program for this failed: {0}")]
    Helper(String),
    /// The request was cancelled; nobody waits for this.
    #[error("cancelled")]
    Cancelled,
    /// The reader's file cannot be used. The text says what it is, and what to do.
    #[error("{0}")]
    File(String),
    /// The browser lacks or refused something.
    #[error("this browser refused: {0}")]
    Browser(String),
}

impl Error {
    /// From whatever JavaScript threw.
    pub fn js(value: &JsValue) -> Self {
        let text = match value.dyn_ref::<js_sys::Error>() {
            Some(error) => String::from(error.message()),
            None => value.as_string().unwrap_or_else(|| format!("{value:?}")),
        };
        Self::Browser(text)
    }
}

impl From<JsValue> for Error {
    fn from(value: JsValue) -> Self {
        Self::js(&value)
    }
}

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

use wasm_bindgen::JsCast as _;
