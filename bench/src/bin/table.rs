//! Writes docs/benchmarks.md from what was measured: `table CRITERION OUT [PEERS [BROWSER]]`, or a table of a GPU:
//! `table --gpu OURS OUT [PEERS]`.

use std::path::Path;

use anyhow::{Context, Result};
use bench::browser::{self, Browser};
use bench::results::{Measured, Peers, gpu_table, json, tables};
use shared::backend::{CpuVectors, cpu_vectors};
use sysinfo::System;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [criterion, out, peers @ ..] = args.as_slice() else {
        anyhow::bail!("give criterion's folder, the file to write, and the files of the peers if there are some");
    };
    if criterion == "--gpu" {
        return on_gpu(out, peers);
    }
    let measured = Measured::read(Path::new(criterion))?;
    let browser = peers.get(1).map(|path| json::<Browser>(Path::new(path))).transpose()?;
    let peers = peers.first().map(|path| json::<Peers>(Path::new(path))).transpose()?.unwrap_or_default();
    // Rates of other processors stay.
    let earlier = std::fs::read_to_string(out).unwrap_or_default();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let CpuVectors { processor, instructions, .. } = cpu_vectors();
    let processor = format!("{processor}, {threads} threads, kernels in {instructions}");
    let text = format!(
        "# Benchmarks\n\nMade by `cargo xtask bench` on {}; machine: {}.\nAll times are medians, measured one after the \
         other.\n\n{}",
        jiff::Zoned::now().date(),
        machine(),
        (tables(&measured, &peers, &processor, &earlier) + &browser.as_ref().map(browser::tables).unwrap_or_default()).trim_end(),
    );
    write(out, &(text + "\n"))
}

fn write(out: &str, text: &str) -> Result<()> {
    std::fs::write(out, text).with_context(|| format!("cannot write {out}"))?;
    println!("{out}");
    Ok(())
}

fn on_gpu(ours: &str, rest: &[String]) -> Result<()> {
    let [out, peers @ ..] = rest else {
        anyhow::bail!("give the file that `trainer bench` wrote, and the file to write")
    };
    let measured = json(Path::new(ours))?;
    let peers = peers.first().map(|path| json::<Peers>(Path::new(path))).transpose()?.unwrap_or_default();
    let text = format!(
        "# Benchmarks on a GPU\n\nMade by `cargo xtask bench-gpu` on {}; card: {}.\n\n{}",
        jiff::Zoned::now().date(),
        card(),
        gpu_table(&measured, &peers)
    );
    write(out, &text)
}

/// The first card's name and driver.
fn card() -> String {
    let query = ["--query-gpu=name,driver_version", "--format=csv,noheader", "--id=0"];
    let output = std::process::Command::new("nvidia-smi").args(query).output();
    let name = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    if name.is_empty() { "an unknown card".to_owned() } else { format!("{name} (driver)") }
}

fn machine() -> String {
    let mut system = System::new();
    system.refresh_cpu_all();
    let brand = system.cpus().first().map(|cpu| cpu.brand().trim().to_owned()).filter(|brand| !brand.is_empty());
    let name = System::long_os_version().unwrap_or_else(|| "an unknown system".to_owned());
    format!("{} ({} threads, {name})", brand.unwrap_or_else(|| "an unknown processor".to_owned()), system.cpus().len())
}
