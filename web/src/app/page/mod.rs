//! The page's own state, and what it shows around the panels.

mod derived;
mod drop;
mod engine;
mod history;
mod model;
mod navigate;
mod photos;
mod preview;
mod quantities;
mod settings;
mod share;
mod state;
mod status;
mod tabs;
#[cfg(test)]
mod tests;
mod title;
mod tour;
mod training;
mod view;

pub use history::History;
pub use photos::MOST as MOST_PHOTOS;
pub use state::{Input, State};
pub use view::{View, show_breakdown};
