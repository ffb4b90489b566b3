//! What most visits do without. By its name, a worker with this program trains a model, or helps the front.

mod faces;
mod fill;
mod helper;
mod race;
mod train;

use super::scope::scope;
use crate::protocol::TRAINER;

/// Starts the worker.
pub fn start() {
    if scope().name() == TRAINER { train::start() } else { helper::start() }
}
