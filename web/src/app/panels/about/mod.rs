//! The about panel: the idea in five pictures, which the model draws on the spot.

mod state;
mod view;

pub use state::About;
pub use view::AboutView;

#[cfg(test)]
mod tests;
