//! Edits, checked and cut into turns.

use burn::tensor::Tensor;
use shared::{FlowBackend, Temperature};

use super::desk::Turn;
use super::models::Batch;
use super::now;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::fragment::MAX_SEED;
use crate::messages::ResponseKind;
use crate::messages::edit::{Change, EditAnswer, EditKind, Hole, Source};

/// The most pictures that a request may name, and the most that it may ask for.
pub const MAX_PICTURES: usize = 256;

/// The most completions of a picture at once.
const MAX_COMPLETIONS: usize = 16;
/// Time between two looks at a picture that is being filled in, in milliseconds.
const SHOW: f64 = 80.0;

/// Serves an edit.
///
/// # Errors
/// [`Error::Request`] if it asks for what cannot be, [`Error::Cancelled`].
pub async fn serve<B: FlowBackend>(
    engine: &Engine<B>,
    kind: EditKind,
    batch: Batch,
    turn: &Turn,
) -> Result<EditAnswer> {
    match kind {
        EditKind::Mix { sources, cells } => {
            if cells.len() > MAX_PICTURES {
                return Err(Error::Request(format!("{} pictures at once", cells.len())));
            }
            let sources = latents(engine, &sources, turn).await?;
            let mut images = Vec::new();
            for some in cells.chunks(batch.then) {
                turn.pause().await?;
                let mixed = some.iter().map(|&cell| engine.mixed(&sources, cell)).collect::<Result<Vec<_>>>()?;
                images.extend(engine.pictures(Tensor::cat(mixed, 0)).await?);
            }
            Ok(EditAnswer::Images(images))
        }
        EditKind::Interpolate { a, b, share } => {
            if !(0.0..=1.0).contains(&share) {
                return Err(Error::Request("a share must lie between 0 and 1".to_owned()));
            }
            check(&a)?;
            check(&b)?;
            let between = engine.interpolated(engine.latents(&a)?, engine.latents(&b)?, share)?;
            Ok(EditAnswer::Images(engine.pictures(between).await?))
        }
        EditKind::Latents { source } => {
            check(&source)?;
            Ok(EditAnswer::Latents(engine.values(&source).await?))
        }
        EditKind::Change { source, mut changes, walk } => {
            check(&source)?;
            let values = changes.iter().map(|change| change.value).chain(walk.iter().flat_map(|w| w.values.clone()));
            if values.into_iter().any(|value| !value.is_finite()) {
                return Err(Error::Request("a latent's value must be a number".to_owned()));
            }
            let Some(walk) = walk else {
                return Ok(EditAnswer::Images(vec![engine.changed(&source, &changes).await?]));
            };
            if walk.values.len() > MAX_PICTURES {
                return Err(Error::Request(format!("{} pictures at once", walk.values.len())));
            }
            changes.retain(|change| change.index != walk.index);
            let mut images = Vec::new();
            for value in walk.values {
                turn.pause().await?;
                changes.push(Change { index: walk.index, value });
                images.push(engine.changed(&source, &changes).await?);
                changes.pop();
            }
            Ok(EditAnswer::Images(images))
        }
        // Left out of the GPU's program, which would be much larger with gradients in it.
        EditKind::Inpaint(_) => Err(Error::Request("holes are filled in on the CPU".to_owned())),
        EditKind::Field { index } => Ok(EditAnswer::Field(engine.receptive_field(index).await?)),
        EditKind::Leading { count } => {
            let mut search = engine.search()?;
            while engine.go_on(&mut search).await? {
                turn.pause().await?;
            }
            let mut levels = Vec::new();
            for level in 0..engine.config().level_count() {
                levels.push(engine.found(&search, level, (count as usize).min(MAX_PICTURES)).await?);
            }
            Ok(EditAnswer::Leading(levels))
        }
        EditKind::Steps { source } => {
            check(&source)?;
            Ok(EditAnswer::Images(engine.steps(&source).await?))
        }
    }
}

/// Serves [`EditKind::Inpaint`].
///
/// # Errors
/// As [`serve`].
pub async fn fill<B: FlowBackend>(engine: &Engine<B>, hole: Hole, turn: &Turn) -> Result<EditAnswer> {
    check(&hole.source)?;
    if hole.samples as usize > MAX_COMPLETIONS {
        return Err(Error::Request(format!("{} completions at once", hole.samples)));
    }
    let mut filling = engine.inpainting(&hole).await?;
    let mut shown = now();
    while engine.go_on_filling(&mut filling).await? {
        turn.pause().await?;
        if now() - shown > SHOW {
            turn.send(ResponseKind::EditPart(EditAnswer::Completion(engine.completion(&filling)?)));
            shown = now();
        }
    }
    Ok(EditAnswer::Completion(engine.completion(&filling)?))
}

async fn latents<B: FlowBackend>(engine: &Engine<B>, sources: &[Source], turn: &Turn) -> Result<Vec<Tensor<B, 4>>> {
    if sources.len() > MAX_PICTURES {
        return Err(Error::Request(format!("{} sources at once", sources.len())));
    }
    let mut latents = Vec::new();
    for source in sources {
        turn.pause().await?;
        check(source)?;
        latents.push(engine.latents(source)?);
    }
    Ok(latents)
}

fn check(source: &Source) -> Result<()> {
    match source {
        Source::Sample { seed, temperature, .. } => check_sample(*seed, temperature),
        Source::Own { .. } => Ok(()),
    }
}

/// Whether a sample can be drawn at all.
pub fn check_sample(seed: u64, temperature: &Temperature) -> Result<()> {
    if seed > MAX_SEED || temperature.levels.iter().any(|t| !t.is_finite()) {
        return Err(Error::Request("a seed or a temperature out of range".to_owned()));
    }
    Ok(())
}
