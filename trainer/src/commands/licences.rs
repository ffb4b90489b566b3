//! `trainer licences`: those of everything that this program is made of.

use clap::Args;

use crate::error::Result;
use crate::output::say;

/// As `cargo xtask licences` writes it.
const TEXT: &str = include_str!("../../licences.txt");

/// Arguments of `licences`.
#[derive(Args, Debug, Clone)]
pub struct LicencesArgs {}

/// Prints them.
///
/// # Errors
/// An output that cannot be written.
pub fn run(_: LicencesArgs) -> Result<()> {
    say!("{}", TEXT.trim_end())
}
