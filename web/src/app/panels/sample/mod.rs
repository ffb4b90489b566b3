//! The sample panel: one picture under the microscope, sixteen to choose from, and what is set for all of them.

mod address;
mod bits;
mod bits_view;
mod controls;
mod grid;
mod microscope;
pub mod state;
mod view;

pub use state::{GRID, Sample};
pub use view::SampleView;

#[cfg(test)]
mod tests;
