//! `axe-core` from npm, which tests look for faults of accessibility with.

use anyhow::{Result, bail};

use super::{Outcome, npm};
use crate::env::Env;
use crate::versions;

pub(super) fn ensure(env: &Env) -> Result<Outcome> {
    let script = env.axe();
    if script.is_file() {
        return Ok(Outcome::There(script.display().to_string()));
    }
    npm::install(&env.axe_root(), "axe-core", versions::AXE)?;
    if !script.is_file() {
        bail!("npm installed axe-core, but there is no {}", script.display());
    }
    Ok(Outcome::Installed(script.display().to_string()))
}
