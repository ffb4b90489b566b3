//! What a run says where it goes wrong, and what to do.

use std::path::{Path, PathBuf};

use shared::train::Measured;

use super::watch::{HOPELESS, WINDOW, Watch};
use super::{Training, checkpoint, folder};
use crate::error::Error;

impl Training {
    /// The checkpoint to go back to from a step at which the loss is seen to have left: the best one, or where none was scored
    /// the newest of before.
    pub(super) fn good(&self, number: u64) -> Option<PathBuf> {
        let best = self.folder.path().join(folder::BEST);
        if best.is_file() {
            return Some(best);
        }
        let before = |path: &PathBuf| checkpoint::step_of(path).is_some_and(|step| step + WINDOW <= number + 1);
        let own = checkpoint::list(&self.folder.checkpoints()).ok();
        let own = own.and_then(|list| list.into_iter().rfind(before));
        own.or_else(|| self.resume.clone().filter(|path| path.exists()))
    }

    fn newest_or_resumed(&self) -> Option<PathBuf> {
        let own = checkpoint::list(&self.folder.checkpoints()).ok().and_then(|mut list| list.pop());
        own.or_else(|| self.resume.clone())
    }

    /// That a step was skipped, with how many were so far.
    pub(super) fn skipped(&self, number: u64, measured: Measured, count: u64) -> String {
        let what = self.measured(number, measured);
        format!(
            "{what}: the step is skipped, and the model stays as it was ({count} so far; after {HOPELESS} in a row the run \
             ends)"
        )
    }

    /// That the loss has left where it was, and how to go back to a checkpoint.
    pub(super) fn left(&self, number: u64, [from, to]: [f64; 2], good: Option<&Path>) -> String {
        let unit = self.state.config.data().unit();
        let lower = self.lower_rate();
        let advice = match good {
            Some(path) => {
                format!("stop it, and go back with `trainer train --resume {} --learning-rate {lower}`", path.display())
            }
            None => format!("stop it, and start again with --learning-rate {lower}"),
        };
        format!(
            "step {number}: {to:.3} {unit}, far above the {from:.3} where the run was; the learning rate is probably too \
             high. If it does not come back, {advice}"
        )
    }

    /// That a run cannot go on, and how to go back. What it had saved stays as it is.
    pub(super) fn diverged(&self, number: u64, measured: Measured, watch: &Watch, good: Option<PathBuf>) -> Error {
        let (what, lower) = (self.measured(number, measured), self.lower_rate());
        let steps = match watch.in_a_row() {
            1 => "and so it was not taken".to_owned(),
            count => format!("the last of {count} such steps in a row, none of which was taken"),
        };
        Error::Diverged {
            problem: format!("{what}, {steps}"),
            advice: match good.or_else(|| self.newest_or_resumed()) {
                Some(path) => format!(
                    "the last good checkpoint is {0}; resume from it with a lower rate: --resume {0} --learning-rate {lower}",
                    path.display()
                ),
                None => format!(
                    "there is no checkpoint yet; start again with a lower --learning-rate, for instance {lower}"
                ),
            },
        }
    }

    fn measured(&self, number: u64, measured: Measured) -> String {
        let unit = self.state.config.data().unit();
        format!("step {number}: loss {} {unit}, gradient norm {}", measured.bits_per_dim, measured.grad_norm)
    }

    fn lower_rate(&self) -> f64 {
        self.state.recipe.learning_rate / 4.0
    }
}
