//! The mix panel: coarse levels of one picture with fine levels of another (eq. 9, fig. 6).

mod address;
mod card;
pub mod state;
mod view;

pub use state::Mix;
pub use view::MixView;

#[cfg(test)]
mod tests;
