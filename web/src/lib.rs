//! The demo in the browser.
//!
//! Two programs share this crate: [`app`] is the page, which draws and listens, and [`worker`] runs beside it and
//! holds the [`engine`]. They talk in [`messages`]. What the page shows follows from [`app::state`], which knows
//! nothing of the browser; [`fragment`] is the part of it that stands in the address, [`index`] the list of models.

pub mod app;
pub mod engine;
mod error;
pub mod fragment;
pub mod index;
pub mod messages;
pub mod worker;

pub use error::{Error, Result};
