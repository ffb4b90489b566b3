//! The sample panel: a grid of samples, what is set for all of them, and one of them large.

mod controls;
mod grid;
pub mod state;
mod view;
mod viewer;

pub use state::{GRID, Sample};
pub use view::SampleView;

#[cfg(test)]
mod tests;
