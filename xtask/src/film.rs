//! `cargo xtask film`: the film of the page that the README opens with.

use anyhow::{Context, Result};

use crate::env::Env;
use crate::setup::{Needs, setup};
use crate::{page, test};

/// Its name, below `target/tmp` where the browser's test leaves it, and in `docs`.
pub const FILE: &str = "page.gif";

/// Its size at most: it is loaded with the README.
pub const MAX_BYTES: usize = 2_000_000;

/// Builds the page, plays it in a browser, and keeps the film in `docs/page.gif`.
///
/// # Errors
/// A page that cannot be built or does not play.
pub fn film(env: &Env) -> Result<()> {
    setup(env, Needs::PageAndBrowser)?;
    page::build(env, page::Build::Small)?;
    test::browser_tests(env, "a_film_of_a_mix_can_be_made")?;
    let (made, kept) = (env.target_dir().join("tmp").join(FILE), env.root.join("docs").join(FILE));
    std::fs::copy(&made, &kept).with_context(|| format!("cannot copy {} to {}", made.display(), kept.display()))?;
    println!("film: {}", kept.display());
    Ok(())
}
