//! What the page's first download may weigh. Whatever can wait belongs to a program that is fetched later.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::env::Env;
use crate::process::output;

/// The programs that every visitor fetches before the first picture.
const FIRST: [&str; 2] = ["app", "worker"];
/// Bytes that the two may take together, compressed by brotli (docs/benchmarks.md).
const MOST: u64 = 620_000;

/// Prints the length of a file as brotli compresses it for a static server. Node.js is here for wasm-opt.
const COMPRESSED: &str = "const { brotliCompressSync } = require('zlib'); \
    console.log(brotliCompressSync(require('fs').readFileSync(process.argv[1])).length)";

/// Weighs the programs of a page that was built to be published.
///
/// # Errors
/// They weigh too much, or one is not there.
pub fn check(env: &Env) -> Result<()> {
    let sizes = FIRST.iter().map(|name| Ok((*name, compressed(&program(&env.dist(), name)?)?)));
    let sizes = sizes.collect::<Result<Vec<_>>>()?;
    println!("page: the first download is {}", within(&sizes, MOST)?);
    Ok(())
}

/// Says what programs weigh in all; an error if that is more than `most`.
fn within(sizes: &[(&str, u64)], most: u64) -> Result<String> {
    let kilobytes = |bytes: u64| format!("{:.0} kB", bytes as f64 / 1e3);
    let each: Vec<_> = sizes.iter().map(|(name, size)| format!("{name} {}", kilobytes(*size))).collect();
    let sum = sizes.iter().map(|(_, size)| size).sum();
    let said = format!("{} of {} with brotli ({})", kilobytes(sum), kilobytes(most), each.join(", "));
    if sum > most {
        bail!("the page's first download is too large, {said}: see what web/src/worker/mod.rs says of its programs");
    }
    Ok(said)
}

/// The wasm file of a program: the page's own has a digest in its name.
fn program(dist: &Path, name: &str) -> Result<PathBuf> {
    let entries = std::fs::read_dir(dist).with_context(|| format!("no page in {}", dist.display()))?;
    let is_it = |file: &str| {
        file.strip_suffix("_bg.wasm").is_some_and(|stem| stem == name || stem.starts_with(&format!("{name}-")))
    };
    let mut files = entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_it));
    let file = files.next().with_context(|| format!("no program {name} in {}", dist.display()))?;
    Ok(file.path())
}

fn compressed(file: &Path) -> Result<u64> {
    let mut node = Command::new("node");
    let length = output(node.args(["-e", COMPRESSED]).arg(file));
    length.and_then(|length| length.parse().ok()).with_context(|| format!("Node.js cannot compress {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_heavy_is_named() {
        let sizes = [("app", 250_000), ("worker", 300_000)];
        let said = within(&sizes, 550_000).unwrap();
        assert_eq!(said, "550 kB of 550 kB with brotli (app 250 kB, worker 300 kB)");
        let error = within(&sizes, 549_999).unwrap_err().to_string();
        assert!(error.contains("too large") && error.contains("worker 300 kB"), "{error}");
    }

    #[test]
    fn programs_are_found_by_their_names() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["app-0f3a_bg.wasm", "app-0f3a.js", "worker_bg.wasm", "workers_bg.wasm"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        assert!(program(dir.path(), "app").unwrap().ends_with("app-0f3a_bg.wasm"));
        assert!(program(dir.path(), "worker").unwrap().ends_with("worker_bg.wasm"));
        assert!(program(dir.path(), "gpu").is_err());
    }
}
