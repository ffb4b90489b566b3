//! The train panel: a model that learns before one's eyes, in a worker of its own. It needs none of the page's models.

mod address;
mod collection;
mod curve;
mod ovals;
mod setup;
pub mod state;
mod view;
mod words;

pub use state::Train;
pub use view::TrainView;

#[cfg(test)]
mod tests;
