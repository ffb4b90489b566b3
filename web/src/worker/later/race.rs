//! The race: the same hole, filled by the loaded model and by its rival.

use std::cell::RefCell;
use std::rc::Rc;

use burn_flex::Flex;

use crate::engine::inpaint::Mender;
use crate::engine::inpaint::race::{Rival, Runner};
use crate::error::Result;
use crate::index::ModelEntry;
use crate::protocol::{Answer, Part, Race, Standing};
use crate::worker::desk::Turn;
use crate::worker::draw::check;
use crate::worker::scope::now;
use crate::worker::store;

/// Gradients between two looks at the latents: encoding takes a share of a gradient's time.
const LOOK: u32 = 2;
/// Time between two notes on a download, in milliseconds.
const SHOW: f64 = 50.0;

/// The rival that was fetched last, by its digest.
#[derive(Default)]
pub struct Rivals(RefCell<Option<(String, Rc<Rival<Flex>>)>>);

/// One of the two, its share of the time, and when its latents were looked at last.
struct Entrant {
    runner: Runner<Flex>,
    millis: f64,
    looked: u32,
}

impl Rivals {
    /// Runs a race. Whoever has used less time goes next, as if each had a processor of its own.
    ///
    /// # Errors
    /// [`crate::Error::Request`] if the hole or the rival does not belong to the model, [`crate::Error::Cancelled`],
    /// and those of the download.
    pub async fn run(&self, mender: &Mender<Flex>, race: Race, turn: &Turn) -> Result<Answer> {
        check(&race.hole.source)?;
        let rival = self.fetch(&race.base, &race.rival, turn).await?;
        let entrant = |runner| Entrant { runner, millis: 0.0, looked: 0 };
        let mut both = mender.runners(&race.hole, &rival).await?.map(entrant);
        turn.send(Part::Race(standing(mender, &both)?));
        loop {
            turn.pause().await?;
            let [ours, theirs] = &mut both;
            let next = match (ours.runner.is_done(), theirs.runner.is_done()) {
                (true, true) => return Ok(Answer::Race(standing(mender, &both)?)),
                (false, true) => ours,
                (true, false) => theirs,
                (false, false) if ours.millis <= theirs.millis => ours,
                (false, false) => theirs,
            };
            let start = now();
            next.runner.go_on().await?;
            next.millis += now() - start;
            next.looked += 1;
            if next.looked.is_multiple_of(LOOK) || next.runner.is_done() {
                next.runner.count().await?;
            }
            turn.send(Part::Race(standing(mender, &both)?));
        }
    }

    async fn fetch(&self, base: &str, model: &ModelEntry, turn: &Turn) -> Result<Rc<Rival<Flex>>> {
        if let Some((digest, rival)) = &*self.0.borrow()
            && *digest == model.sha256
        {
            return Ok(Rc::clone(rival));
        }
        let mut last = f64::NEG_INFINITY;
        let weights = store::weights(base, model, |loaded, total| {
            turn.check()?;
            if loaded == total || now() - last > SHOW {
                last = now();
                turn.send(Part::Race(Standing { loaded, total, lanes: vec![] }));
            }
            Ok(())
        })
        .await?;
        let rival = Rc::new(Rival::from_bytes(&weights.bytes, &Default::default())?);
        self.0.replace(Some((model.sha256.clone(), Rc::clone(&rival))));
        Ok(rival)
    }
}

fn standing(mender: &Mender<Flex>, both: &[Entrant; 2]) -> Result<Standing> {
    let lanes = both.iter().map(|one| mender.lane(&one.runner, one.millis)).collect::<Result<Vec<_>>>()?;
    Ok(Standing { loaded: 1, total: 1, lanes })
}
