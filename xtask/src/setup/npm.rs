//! Packages from npm, each in a folder of its own.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{on_path, run};

/// Installs a package below `root`, without a project around it.
///
/// # Errors
/// No npm, or one that fails.
pub fn install(root: &Path, package: &str, version: &str) -> Result<()> {
    if on_path("npm").is_none() {
        bail!(
            "no npm here: install Node.js and npm (Debian: `apt-get install nodejs npm`); {package} {version} is needed"
        );
    }
    std::fs::create_dir_all(root)?;
    let mut cmd = Command::new("npm");
    cmd.args(["install", "--silent", "--no-audit", "--no-fund", "--no-save", "--prefix"])
        .arg(root)
        .arg(format!("{package}@{version}"));
    run(cmd.current_dir(root))
}
