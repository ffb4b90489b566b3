//! `cargo xtask`: see `cargo xtask --help`.

use anyhow::Result;
use xtask::env::Env;
use xtask::setup::{Needs, setup};

fn main() -> Result<()> {
    setup(&Env::new()?, Needs::PageAndBrowser)
}
