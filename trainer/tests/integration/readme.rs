//! The README's table of presets is the list that the command line reads.

use shared::{ModelConfig, PRESETS, Preset};

/// With two digits, as "1.9 M".
fn short(count: usize) -> String {
    let (unit, name) = if count >= 1_000_000_000 { (1e9, "G") } else { (1e6, "M") };
    let value = count as f64 / unit;
    match value {
        v if v < 0.1 => format!("{v:.2} {name}"),
        v if v < 10.0 => format!("{v:.1} {name}"),
        v => format!("{v:.0} {name}"),
    }
}

fn row(preset: &Preset) -> String {
    let config: ModelConfig = preset.config();
    let (name, purpose) = (preset.name, preset.purpose);
    let [_, size] = config.image_shape();
    format!("| `{name}` | {size} | {} | {} | {purpose} |", short(config.param_count()), short(config.macs()))
}

#[test]
fn the_readme_has_every_preset_as_it_is() {
    let readme = include_str!("../../../README.md");
    let table: Vec<String> = PRESETS.iter().map(row).collect();
    let table = table.join("\n");
    assert!(readme.contains(&table), "put this table into the README:\n{table}");
}
