//! Samples and mixtures, checked and cut into turns.

use burn::tensor::Tensor;
use serde_bytes::ByteBuf;
use shared::FlowBackend;

use super::desk::Turn;
use super::scope::now;
use crate::address::{MAX_LEVELS, MAX_SEED};
use crate::engine::{Drawn, Engine};
use crate::error::{Error, Result};
use crate::protocol::{Answer, Drawing, Last, MixCell, Part, Picture, Source};

/// The most pictures that a task may name, and the most that it may ask for.
pub const MAX_PICTURES: usize = 256;

/// How many pictures are drawn at once.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// At first: on a CPU, the fewer the sooner there is something to look at.
    pub first: usize,
    /// Then: together they take less time.
    pub then: usize,
}

impl Batch {
    /// Cuts a list of things to draw into what is drawn at once.
    pub fn cut<'a, T>(&self, all: &'a [T]) -> impl Iterator<Item = &'a [T]> + use<'a, T> {
        let (first, then) = all.split_at(self.first.min(all.len()));
        std::iter::once(first).filter(|some| !some.is_empty()).chain(then.chunks(self.then))
    }
}

/// Draws samples, each sent as a part.
///
/// # Errors
/// [`Error::Request`] if they cannot be drawn, [`Error::Cancelled`].
pub async fn samples<B: FlowBackend>(
    engine: &Engine<B>,
    seed: u64,
    indices: &[u32],
    drawing: &Drawing,
    batch: Batch,
    turn: &Turn,
) -> Result<Last> {
    check_sample(seed, drawing)?;
    check_count(indices.len())?;
    let size = engine.config().size as u32;
    for some in batch.cut(indices) {
        turn.pause().await?;
        let start = now();
        let pictures = engine.samples(seed, some, drawing).await?;
        let millis = (now() - start) / some.len() as f64;
        for (&index, Drawn { rgba, bits }) in some.iter().zip(pictures) {
            turn.send(Part::Picture(Picture { index, size, rgba: ByteBuf::from(rgba), bits, millis }));
        }
    }
    Ok(Last::Done)
}

/// Draws mixtures (eq. 9).
///
/// # Errors
/// [`Error::Request`] if they cannot be drawn, [`Error::Cancelled`].
pub async fn mixtures<B: FlowBackend>(
    engine: &Engine<B>,
    sources: &[Source],
    cells: &[MixCell],
    batch: Batch,
    turn: &Turn,
) -> Result<Last> {
    check_count(cells.len())?;
    if sources.len() > MAX_PICTURES {
        return Err(Error::Request(format!("{} sources at once", sources.len())));
    }
    let mut latents = Vec::new();
    for source in sources {
        turn.pause().await?;
        check(source)?;
        latents.push(engine.latents(source).await?);
    }
    let mut images = Vec::new();
    for some in cells.chunks(batch.then) {
        turn.pause().await?;
        let mixed = some.iter().map(|&cell| engine.mixed(&latents, cell)).collect::<Result<Vec<_>>>()?;
        images.extend(engine.pictures(Tensor::cat(mixed, 0)).await?);
    }
    Ok(Last::Answer(Answer::Images(images)))
}

/// Whether there are not too many pictures.
///
/// # Errors
/// [`Error::Request`] says how many there are.
pub fn check_count(count: usize) -> Result<()> {
    if count > MAX_PICTURES { Err(Error::Request(format!("{count} pictures at once"))) } else { Ok(()) }
}

/// Whether a picture can be there at all.
///
/// # Errors
/// [`Error::Request`] if it is a sample that cannot be drawn.
pub fn check(source: &Source) -> Result<()> {
    match source {
        Source::Sample { seed, drawing, .. } => check_sample(*seed, drawing),
        Source::Moved { from, moves } => {
            if matches!(**from, Source::Moved { .. }) || moves.iter().any(|one| !one.to.is_finite()) {
                return Err(Error::Request("a picture is moved once, to a place that there is".to_owned()));
            }
            check(from)
        }
        Source::Own { .. } => Ok(()),
        Source::Rerolled { of, rerolls, drawing } => {
            if rerolls.len() > MAX_LEVELS || matches!(**of, Source::Rerolled { .. }) {
                return Err(Error::Request("a picture was drawn anew too often".to_owned()));
            }
            rerolls.iter().try_for_each(|reroll| check_sample(reroll.seed, drawing))?;
            check(of)
        }
    }
}

fn check_sample(seed: u64, drawing: &Drawing) -> Result<()> {
    if seed > MAX_SEED || drawing.temperature.levels.iter().any(|t| !t.is_finite()) {
        return Err(Error::Request("a seed or a temperature is out of range".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_picture_comes_alone() {
        let batch = Batch { first: 1, then: 4 };
        let cut = |count| batch.cut(&[7; 16][..count]).map(<[_]>::len).collect::<Vec<_>>();
        assert_eq!((cut(0), cut(1), cut(5), cut(10)), (vec![], vec![1], vec![1, 4], vec![1, 4, 4, 1]));
        assert_eq!(Batch { first: 64, then: 64 }.cut(&[0; 16]).count(), 1);
    }
}
