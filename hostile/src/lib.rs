//! Every reader of what comes from outside, as a function of bytes that may be anything.
//!
//! `fuzz/` lets libFuzzer make up the bytes; `tests/replay.rs` runs those that it kept, and the seeds, as an ordinary
//! test. A function returns if the bytes were read or refused; it panics if they broke something.

// Like a test: what fails here is a fault found.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod messages;
mod models;
mod page;
mod parts;
mod pickled;
mod pictures;
mod scratch;
mod sets;

use std::fs;
use std::io;
use std::path::Path;

/// One reader.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, which is that of its folder in fuzz/corpus.
    pub name: &'static str,
    /// What it does with bytes from outside.
    pub run: fn(&[u8]),
    /// Whole inputs to start from, as our own writers make them.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const TARGETS: [Target; 17] = [
    Target { name: "weights", run: models::weights, seeds: models::weights_seeds },
    Target { name: "checkpoint", run: models::checkpoint, seeds: models::checkpoint_seeds },
    Target { name: "torch", run: models::torch, seeds: pickled::seeds },
    Target { name: "config", run: models::config, seeds: models::config_seeds },
    Target { name: "picture", run: pictures::picture, seeds: pictures::seeds },
    Target { name: "zip", run: sets::zip, seeds: sets::zip_seeds },
    Target { name: "tar", run: sets::tar, seeds: sets::tar_seeds },
    Target { name: "cifar", run: sets::cifar, seeds: sets::cifar_seeds },
    Target { name: "idx", run: sets::idx, seeds: sets::idx_seeds },
    Target { name: "celeba", run: sets::celeba, seeds: sets::celeba_seeds },
    Target { name: "labels", run: sets::labels, seeds: sets::labels_seeds },
    Target { name: "address", run: page::address, seeds: page::address_seeds },
    Target { name: "own", run: page::own, seeds: page::own_seeds },
    Target { name: "index", run: page::index, seeds: page::index_seeds },
    Target { name: "archive", run: page::archive, seeds: sets::zip_seeds },
    Target { name: "run", run: page::run, seeds: page::run_seeds },
    Target { name: "messages", run: messages::messages, seeds: messages::seeds },
];

/// The target of that name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Writes a target's seeds into a folder, which is made if need be.
///
/// # Errors
/// A file that cannot be written.
pub fn write_seeds(target: &Target, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (number, seed) in (target.seeds)().iter().enumerate() {
        fs::write(folder.join(format!("seed-{number}")), seed)?;
    }
    Ok(())
}
