//! What criterion measured, and what peers printed, as a document.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// What `peers/torch_bench.py` measured.
#[derive(Debug, Default, Deserialize)]
pub struct Peers {
    /// PyTorch's version.
    torch: String,
    /// Images a second, by names such as `train/bench/64`, and other numbers.
    #[serde(flatten)]
    rates: BTreeMap<String, f64>,
}

/// Medians in nanoseconds by `group/function/value`.
#[derive(Debug, Default)]
pub struct Measured(BTreeMap<String, f64>);

#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
}

#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

impl Measured {
    /// Everything below criterion's folder.
    ///
    /// # Errors
    /// A folder without results, or files that are not criterion's.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut found = BTreeMap::new();
        let mut folders = vec![folder.to_path_buf()];
        while let Some(folder) = folders.pop() {
            let entries = std::fs::read_dir(&folder).with_context(|| format!("no results in {}", folder.display()))?;
            for entry in entries {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                }
            }
            if folder.file_name().is_some_and(|name| name == "new") {
                let what: Benchmark = json(&folder.join("benchmark.json"))?;
                let Estimates { median } = json(&folder.join("estimates.json"))?;
                let parts = [Some(what.group_id), what.function_id, what.value_str];
                found.insert(parts.into_iter().flatten().collect::<Vec<_>>().join("/"), median.point_estimate);
            }
        }
        Ok(Self(found))
    }

    fn millis(&self, name: &str) -> Option<f64> {
        self.0.get(name).map(|nanos| nanos / 1e6)
    }

    /// Images a second, where a run does as many as the name's last part says.
    fn rate(&self, name: &str) -> Option<f64> {
        let images: f64 = name.rsplit('/').next()?.parse().ok()?;
        Some(images * 1e9 / self.0.get(name)?)
    }

    /// The one of that group and value whose function begins so: its name's rest, and its milliseconds.
    fn begins(&self, group: &str, function: &str, value: &str) -> Option<(String, f64)> {
        let start = format!("{group}/{function}");
        let (name, nanos) =
            self.0.iter().find(|(name, _)| name.starts_with(&start) && name.ends_with(&format!("/{value}")))?;
        let rest = name[start.len()..name.len() - value.len() - 1].trim_start_matches(", ");
        Some((rest.to_owned(), nanos / 1e6))
    }
}

/// Reads a file.
///
/// # Errors
/// A file that is missing, or holds something else.
pub fn json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} holds something else", path.display()))
}

/// Above the rates, a table for each kind of processor.
const RATES: &str = "## Images per second on the CPU\n";

/// The tables, in Markdown: of this processor, and those of others in the document that was made before.
pub fn tables(measured: &Measured, peers: &Peers, processor: &str, earlier: &str) -> String {
    let mut text = format!(
        "{RATES}\nA ratio above 1 means that ours is faster. \"Products alone\" are the matrix products of a training step, one \
         after the\nother, in the gemm library that Burn's Flex uses.\n\n### {processor}\n\n"
    );
    rates(&mut text, measured, peers);
    for other in others(earlier, processor) {
        let _ = writeln!(text, "\n### {other}");
    }
    let _ = writeln!(text);
    local(&mut text, measured);
    text
}

/// The rates of other processors, each beginning with its name.
fn others<'a>(earlier: &'a str, processor: &str) -> Vec<&'a str> {
    let all = earlier.split_once(RATES).map_or("", |(_, after)| after.split("\n## ").next().unwrap_or_default());
    let tables = all.split("\n### ").skip(1).map(str::trim_end);
    tables.filter(|table| table.lines().next() != Some(processor)).collect()
}

fn rates(text: &mut String, measured: &Measured, peers: &Peers) {
    let peer = format!("PyTorch {}", peers.torch);
    let _ = writeln!(
        text,
        "| what | preset | batch | ours | {} | ratio | candle-core | ratio | products alone | ratio |",
        peer.trim_end()
    );
    let _ = writeln!(text, "|---|---|---|---|---|---|---|---|---|---|");
    for (what, batches) in [("train", &[64][..]), ("sample", &[1, 64]), ("encode", &[1, 64])] {
        for (preset, batch) in ["bench", "demo"].iter().flat_map(|p| batches.iter().map(move |b| (p, b))) {
            let name = format!("{what}/{preset}/{batch}");
            let Some(ours) = measured.rate(&name) else { continue };
            let others = [
                peers.rates.get(&name).copied(),
                measured.rate(&format!("{what}/{preset}, candle-core/{batch}")),
                measured.rate(&format!("{what}/{preset}, products alone/{batch}")),
            ];
            let _ = write!(text, "| {what} | `{preset}` | {batch} | {ours:.0} |");
            for other in others {
                let _ = match other {
                    Some(other) => write!(text, " {other:.0} | {:.2} |", ours / other),
                    None => write!(text, " – | – |"),
                };
            }
            let _ = writeln!(text);
        }
    }
}

/// Training on a GPU: what the program `gpu` measured, beside PyTorch.
pub fn gpu_table(measured: &BTreeMap<String, f64>, peers: &Peers) -> String {
    let mut text = String::from(
        "Images per second in training, 64 at once, and the card's memory that the program used, in MiB.\n\n",
    );
    let peer = format!("PyTorch {}", peers.torch);
    let _ = writeln!(
        text,
        "| preset | ours | {0} | ratio | {0}, compiled | ratio | MiB, ours | MiB, PyTorch |",
        peer.trim_end()
    );
    let _ = writeln!(text, "|---|---|---|---|---|---|---|---|");
    for (name, &ours) in measured.iter().filter(|(name, _)| name.starts_with("train/")) {
        let preset = name.split('/').nth(1).unwrap_or_default();
        let _ = write!(text, "| `{preset}` | {ours:.0} |");
        for suffix in ["", " (compiled)"] {
            let _ = match peers.rates.get(&format!("{name}{suffix}")) {
                Some(other) => write!(text, " {other:.0} | {:.2} |", ours / other),
                None => write!(text, " – | – |"),
            };
        }
        let memory = name.replacen("train", "memory", 1);
        let cell =
            |of: &BTreeMap<String, f64>| of.get(&memory).map_or_else(|| "–".to_owned(), |mib| format!("{mib:.0}"));
        let _ = writeln!(text, " {} | {} |", cell(measured), cell(&peers.rates));
    }
    text
}

fn local(text: &mut String, measured: &Measured) {
    let _ = writeln!(text, "## Local edits\n");
    let _ = writeln!(
        text,
        "Milliseconds for one picture with edge length L, and the number of blocks recomputed. In a Real NVP every latent \
         depends on\nevery pixel, so an edit is a whole pass.\n"
    );
    let _ = writeln!(text, "| L | one pixel | one latent of level 0 | whole pass | Real NVP |");
    let _ = writeln!(text, "|---|---|---|---|---|");
    for size in ["32", "64", "128", "256"] {
        let cells = ["one pixel", "one latent", "whole pass"].map(|function| {
            let cell = measured.begins("local", function, size);
            cell.map_or_else(|| "–".to_owned(), |(blocks, millis)| format!("{millis:.2} ({blocks})"))
        });
        let real_nvp = measured.millis(&format!("local/Real NVP, whole pass/{size}"));
        let real_nvp = real_nvp.map_or_else(|| "–".to_owned(), |millis| format!("{millis:.1}"));
        let _ = writeln!(text, "| {size} | {} | {real_nvp} |", cells.join(" | "));
    }
    let _ = writeln!(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(of: &[(&str, f64)]) -> Measured {
        Measured(of.iter().map(|(name, nanos)| ((*name).to_owned(), *nanos)).collect())
    }

    #[test]
    fn rates_are_images_over_seconds_and_ratios_those_of_rates() {
        let measured = measured(&[("train/bench/64", 5e8), ("train/bench, products alone/64", 2.5e8)]);
        let peers: Peers = serde_json::from_str(r#"{"torch": "2.0", "threads": 2, "train/bench/64": 64.0}"#).unwrap();
        let text = tables(&measured, &peers, "this one", "");
        assert!(text.contains("| train | `bench` | 64 | 128 | 64 | 2.00 | – | – | 256 | 0.50 |"), "{text}");
        assert!(text.contains("| PyTorch 2.0 |"));
    }

    #[test]
    fn the_rates_of_other_processors_stay() {
        let at = |rate: f64| measured(&[("train/bench/64", 64e9 / rate)]);
        let first = tables(&at(10.0), &Peers::default(), "one", "# Benchmarks\n");
        let both = tables(&at(20.0), &Peers::default(), "another", &first);
        let again = tables(&at(30.0), &Peers::default(), "one", &both);
        assert!(both.contains("| 64 | 20 |") && both.contains("| 64 | 10 |"), "{both}");
        assert!(again.contains("| 64 | 30 |") && again.contains("| 64 | 20 |") && !again.contains("| 64 | 10 |"), "{again}");
        assert_eq!(again.matches("## Local edits").count(), 1);
    }

    #[test]
    fn a_gpu_is_compared_with_pytorch_eager_and_compiled() {
        let ours = [("train/small/64", 3000.0), ("memory/small/64", 900.0)];
        let ours = ours.map(|(name, value)| (name.to_owned(), value)).into();
        let json = r#"{"torch": "2.0", "train/small/64": 1000.0, "train/small/64 (compiled)": 2000.0, "memory/small/64": 1200}"#;
        let text = gpu_table(&ours, &serde_json::from_str(json).unwrap());
        assert!(text.contains("| `small` | 3000 | 1000 | 3.00 | 2000 | 1.50 | 900 | 1200 |"), "{text}");
    }

    #[test]
    fn edits_show_their_blocks() {
        let measured = measured(&[("local/one pixel, 28 blocks/32", 2e6), ("local/Real NVP, whole pass/32", 3.21e7)]);
        let text = tables(&measured, &Peers::default(), "this one", "");
        assert!(text.contains("| 32 | 2.00 (28 blocks) | – | – | 32.1 |"), "{text}");
    }

    #[test]
    fn criterions_files_are_found_wherever_they_are() {
        let folder = std::env::temp_dir().join(format!("rg-flow-results-{}", std::process::id()));
        let new = folder.join("train/bench/64/new");
        std::fs::create_dir_all(&new).unwrap();
        let benchmark = r#"{"group_id":"train","function_id":"bench","value_str":"64","throughput":null}"#;
        std::fs::write(new.join("benchmark.json"), benchmark).unwrap();
        std::fs::write(new.join("estimates.json"), r#"{"median":{"point_estimate":6.4e10}}"#).unwrap();
        let found = Measured::read(&folder).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found.rate("train/bench/64"), Some(1.0));
    }
}
