//! Edits, checked and cut into turns.

use shared::FlowBackend;

use crate::engine::{Engine, Search};
use crate::error::{Error, Result};
use crate::protocol::{Answer, Change, Edit, Leading, Part, Source, Strip, Which};
use crate::worker::desk::Turn;
use crate::worker::draw::{MAX_PICTURES, check, check_count};

/// Serves an edit.
///
/// # Errors
/// [`Error::Request`] if it asks for the impossible, [`Error::Cancelled`].
pub async fn serve<B: FlowBackend>(engine: &Engine<B>, edit: Edit, turn: &Turn) -> Result<Answer> {
    match edit {
        Edit::Interpolate { a, b, share } => {
            if !(0.0..=1.0).contains(&share) {
                return Err(Error::Request("a share must be between 0 and 1".to_owned()));
            }
            check(&a)?;
            check(&b)?;
            let between = engine.interpolated(engine.latents(&a).await?, engine.latents(&b).await?, share)?;
            Ok(Answer::Images(engine.pictures(between).await?))
        }
        Edit::Latents { source } => {
            check(&source)?;
            Ok(Answer::Latents(engine.values(&source).await?))
        }
        Edit::Change { source, mut changes, walk } => {
            check(&source)?;
            let values = changes.iter().map(|change| change.value).chain(walk.iter().flat_map(|w| w.values.clone()));
            if values.into_iter().any(|value| !value.is_finite()) {
                return Err(Error::Request("a latent's value must be finite".to_owned()));
            }
            let Some(walk) = walk else {
                return Ok(Answer::Images(vec![engine.changed(&source, &changes).await?]));
            };
            check_count(walk.values.len())?;
            changes.retain(|change| change.index != walk.index);
            let mut images = Vec::new();
            for value in walk.values {
                turn.pause().await?;
                changes.push(Change { index: walk.index, value });
                images.push(engine.changed(&source, &changes).await?);
                changes.pop();
            }
            Ok(Answer::Images(images))
        }
        Edit::Bits { source } => {
            check(&source)?;
            Ok(Answer::Bits(engine.bits(&source).await?))
        }
        Edit::Field { index } => Ok(Answer::Field(engine.receptive_field(index).await?)),
        Edit::Leading { count } => {
            let search = searched(engine, turn).await?;
            let (mut levels, mut histogram) = (Vec::new(), Vec::new());
            for level in 0..engine.config().level_count() {
                levels.push(engine.found(&search, level, (count as usize).min(MAX_PICTURES)).await?);
                histogram.push(engine.strengths_of(&search, level));
            }
            Ok(Answer::Leading(Leading { levels, histogram }))
        }
        Edit::Positions { source, count } => {
            check(&source)?;
            Ok(Answer::Positions(engine.positions(&source, count as usize).await?))
        }
        Edit::Strips { source, which, values } => strips(engine, &source, &which, &values, turn).await,
        Edit::Steps { source } => {
            check(&source)?;
            Ok(Answer::Grown(engine.steps(&source).await?))
        }
    }
}

/// A search for the leading latents, finished; tells how far it is.
async fn searched<B: FlowBackend>(engine: &Engine<B>, turn: &Turn) -> Result<Search<B>> {
    let mut search = engine.search()?;
    let mut told = 0;
    while engine.go_on(&mut search).await? {
        let percent = search.percent();
        if percent > told {
            turn.send(Part::Searched(percent));
            told = percent;
        }
        turn.pause().await?;
    }
    Ok(search)
}

async fn strips<B: FlowBackend>(
    engine: &Engine<B>,
    source: &Source,
    which: &Which,
    values: &[f32],
    turn: &Turn,
) -> Result<Answer> {
    check(source)?;
    if matches!(which, Which::Leading(_)) && !engine.is_searched() {
        searched(engine, turn).await?;
    }
    let places = engine.places(which)?;
    check_count(places.len().saturating_mul(values.len()))?;
    if values.iter().any(|value| !value.is_finite()) {
        return Err(Error::Request("a latent's value must be finite".to_owned()));
    }
    let mut strips = Vec::new();
    for index in places {
        let mut images = Vec::new();
        for &value in values {
            turn.pause().await?;
            images.push(engine.changed(source, &[Change { index, value }]).await?);
        }
        strips.push(Strip { index, images });
    }
    Ok(Answer::Strips(strips))
}
