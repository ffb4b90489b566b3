//! Debian's packages.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{on_path, output, run};

/// Whether this machine takes Debian packages.
pub fn available() -> bool {
    std::path::Path::new("/etc/debian_version").exists() && on_path("apt-get").is_some()
}

/// Installs those of `packages` that are missing. `purpose` ends the error's sentence "... is needed for".
pub fn ensure(packages: &[&str], purpose: &str) -> Result<()> {
    let missing: Vec<&str> = packages
        .iter()
        .copied()
        .filter(|package| !installed(package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("setup: apt-get install {}", missing.join(" "));
    apt_get(&["update", "-qq"])
        .with_context(|| format!("{} is needed for {purpose}", missing.join(" ")))?;
    let mut args = vec!["install", "-y", "-qq", "--no-install-recommends"];
    args.extend(&missing);
    apt_get(&args).with_context(|| format!("{} is needed for {purpose}", missing.join(" ")))
}

/// Whether dpkg has `package`, unpacked and configured.
fn installed(package: &str) -> bool {
    output(Command::new("dpkg-query").args(["-W", "-f", "${Status}", package]))
        .is_some_and(|status| status == "install ok installed")
}

fn apt_get(args: &[&str]) -> Result<()> {
    let root = output(Command::new("id").arg("-u")).is_some_and(|id| id == "0");
    let mut cmd = match (root, on_path("sudo")) {
        (true, _) => Command::new("env"),
        (false, Some(sudo)) => {
            let mut cmd = Command::new(sudo);
            cmd.arg("env");
            cmd
        }
        (false, None) => bail!(
            "not root and no sudo here: as root, run `apt-get {}`",
            args.join(" ")
        ),
    };
    // Another apt may hold dpkg's lock for a while; what maintainer scripts print is of no use here.
    cmd.args([
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-o",
        "DPkg::Lock::Timeout=180",
        "-o",
        "Dpkg::Use-Pty=0",
    ]);
    cmd.args(args).stdout(std::process::Stdio::null());
    run(&mut cmd)
}
