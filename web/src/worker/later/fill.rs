//! Holes filled in, checked and cut into turns.

use burn_flex::Flex;

use crate::engine::inpaint::Mender;
use crate::error::{Error, Result};
use crate::protocol::{Answer, Hole, Part};
use crate::worker::desk::Turn;
use crate::worker::draw::check;
use crate::worker::scope::now;

/// The most completions of a picture at once.
const MAX_COMPLETIONS: usize = 16;
/// Time between two looks at a picture that is being filled in, in milliseconds.
const SHOW: f64 = 80.0;

/// Fills a hole.
///
/// # Errors
/// [`Error::Request`] if it does not belong to the model, [`Error::Cancelled`].
pub async fn fill(mender: &Mender<Flex>, hole: Hole, turn: &Turn) -> Result<Answer> {
    check(&hole.source)?;
    if hole.samples as usize > MAX_COMPLETIONS {
        return Err(Error::Request(format!("{} completions at once", hole.samples)));
    }
    let mut filling = mender.begin(&hole).await?;
    let mut shown = now();
    while mender.go_on(&mut filling).await? {
        turn.pause().await?;
        if now() - shown > SHOW {
            turn.send(Part::Completion(mender.completion(&filling)?));
            shown = now();
        }
    }
    Ok(Answer::Completion(mender.completion(&filling)?))
}
