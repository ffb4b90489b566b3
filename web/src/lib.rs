//! The demo in the browser.
//!
//! Several programs share this crate: [`app`] is the page, which draws and listens, and [`worker`] has those that run
//! beside it and hold the [`engine`], find faces in photographs ([`face_finder`]), and have the model that is in
//! [`training`]. They talk in [`protocol`]. [`address`] has the words of a link, [`index`] is the list of models, [`zip`]
//! says what is in an archive.

pub mod address;
pub mod app;
pub mod engine;
mod error;
pub mod index;
pub mod protocol;
mod stream;
pub mod training;
pub mod worker;
pub mod zip;

pub use error::{Error, Result};
