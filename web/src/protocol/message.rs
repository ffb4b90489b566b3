//! The envelopes of tasks and answers, and how they pass between workers.

use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

use super::answer::{Last, Part, Worker};
use crate::error::{Error, Result};

/// Raised when the types of this module change: a page refuses a worker that a browser kept from an older visit.
pub const PROTOCOL: u32 = 13;

/// What identifies a task, and all that is said about it.
pub type RequestId = u32;

/// To a worker that serves tasks of this type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request<T> {
    /// Serve a task.
    Serve {
        /// The asker's number for it.
        id: RequestId,
        /// The task.
        task: T,
    },
    /// Forget a task, being served or waiting. Nothing is answered but by the task itself.
    Cancel {
        /// The task's id.
        id: RequestId,
    },
}

/// From a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// About the worker itself.
    Worker(Worker),
    /// A part of a task's answer.
    Part {
        /// The task.
        id: RequestId,
        /// The part.
        part: Part,
    },
    /// The end of a task's answer: nothing more comes for it.
    Last {
        /// The task.
        id: RequestId,
        /// The end.
        last: Last,
    },
}

/// A message as `postMessage` takes it; bytes become a `Uint8Array`.
///
/// # Errors
/// [`Error::Request`] if a number is beyond what JavaScript holds exactly.
pub fn to_js<T: Serialize>(message: &T) -> Result<JsValue> {
    serde_wasm_bindgen::to_value(message).map_err(|e| Error::Request(e.to_string()))
}

/// A message that may be anything.
///
/// # Errors
/// [`Error::Request`] if this version does not know it.
pub fn from_js<T: for<'a> Deserialize<'a>>(value: JsValue) -> Result<T> {
    serde_wasm_bindgen::from_value(value).map_err(|e| Error::Request(e.to_string()))
}
