//! The explore panel: one picture, its latents, and which of them reach which pixels (fig. 2c, 2d).

mod address;
mod ask;
mod colours;
mod directions;
mod field;
mod leading;
mod named;
mod pyramid;
pub mod state;
mod strips;
mod view;

pub use state::Explore;
pub use view::ExploreView;

#[cfg(test)]
mod tests;
