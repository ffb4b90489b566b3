//! What most visits do without. By its name, a worker with this program trains a model, takes shares of the batches of one
//! that does, or helps the front.

mod faces;
mod fill;
mod helper;
mod race;
mod train;

use super::scope::scope;
use crate::protocol::{HAND, TRAINER};

/// Starts the worker.
pub fn start() {
    match scope().name().as_str() {
        TRAINER => train::start(),
        HAND => train::start_hand(),
        _ => helper::start(),
    }
}
