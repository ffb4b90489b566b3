//! The holes: ready-made ones, what a brush paints, and one that comes from a picture of another size.

use shared::RgFlowConfig;

use super::address::{InpaintSettings, Mask};
use crate::index::{ModelEntry, NamedHole};

/// Holes for any picture.
const ANYTHING: [(&str, [u8; 4]); 3] =
    [("Lower half", [50, 0, 100, 100]), ("Left half", [0, 0, 100, 50]), ("Centre", [31, 31, 69, 69])];

/// The ready-made holes for a model's pictures: its own, or those for any picture.
pub fn holes(entry: Option<&ModelEntry>) -> Vec<NamedHole> {
    match entry.map(|entry| &entry.holes) {
        Some(own) if !own.is_empty() => own.clone(),
        _ => ANYTHING.map(|(name, borders)| NamedHole { name: name.to_owned(), borders }).to_vec(),
    }
}

/// The places on a straight line, both ends included.
pub(super) fn line(from: (usize, usize), to: (usize, usize)) -> impl Iterator<Item = (usize, usize)> {
    let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1));
    let at = move |from: usize, to: usize, step: usize| {
        let share = step as f32 / steps.max(1) as f32;
        (from as f32 + (to as f32 - from as f32) * share).round() as usize
    };
    (0..=steps).map(move |step| (at(from.0, to.0, step), at(from.1, to.1, step)))
}

/// The mask of a hole.
pub(super) fn paint(hole: &NamedHole, edge: usize) -> Mask {
    let mut mask = Mask::new(edge);
    hole.pixels(edge).for_each(|(row, col)| mask.set(row, col, true));
    mask
}

/// A mask for pictures of another size becomes the same hole in one of the model's.
pub(super) fn fit(settings: &mut InpaintSettings, config: &RgFlowConfig) {
    if settings.mask.edge() != config.size {
        settings.mask = settings.mask.scaled(config.size);
    }
}
