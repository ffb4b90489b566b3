//! Writes docs/benchmarks.md from what was measured: `table CRITERION OUT [PEERS]`.

use std::path::Path;

use anyhow::{Context, Result};
use bench::results::{Measured, Peers, json, tables};
use sysinfo::System;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [criterion, out, peers @ ..] = args.as_slice() else {
        anyhow::bail!("give criterion's folder, the file to write, and the file of the peers if there is one");
    };
    let measured = Measured::read(Path::new(criterion))?;
    let peers = peers.first().map(|path| json::<Peers>(Path::new(path))).transpose()?.unwrap_or_default();
    let text = format!(
        "# Benchmarks\n\nMade by `cargo xtask bench` on {}, {}. Medians, all measured one after the other on it.\n\n{}",
        jiff::Zoned::now().date(),
        machine(),
        tables(&measured, &peers).trim_end(),
    );
    std::fs::write(out, text + "\n").with_context(|| format!("cannot write {out}"))?;
    println!("{out}");
    Ok(())
}

fn machine() -> String {
    let mut system = System::new();
    system.refresh_cpu_all();
    let brand = system.cpus().first().map(|cpu| cpu.brand().trim().to_owned()).filter(|brand| !brand.is_empty());
    let name = System::long_os_version().unwrap_or_else(|| "an unknown system".to_owned());
    format!("{} ({} threads, {name})", brand.unwrap_or_else(|| "an unknown processor".to_owned()), system.cpus().len())
}
