//! `trainer blind`: failures counted without knowing whose they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use image::RgbImage;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::args::numbers::{count, seed, zoom};
use crate::args::{DeviceArgs, TemperatureArgs, WhichArgs, keep_apart, test_part};
use crate::data::DataOptions;
use crate::error::{Error, Result};
use crate::evaluate::random_seed;
use crate::figures::figure::{Row, figure};
use crate::figures::sheet;
use crate::files::{make_folder, read_limited, write_atomically};
use crate::open::{AnyModel, about};
use crate::output::say;

/// Pictures along a sheet, and down.
const COLUMNS: usize = 7;
const ROWS: usize = 6;
/// The two files beside the sheets.
pub(crate) const KEY: &str = "key.csv";
const FAILED: &str = "failed.txt";
/// A key's size at most: a line is short.
const MAX_BYTES: u64 = 16 << 20;

/// What stands in a new `failed.txt`.
const INSTRUCTIONS: &str = "\
# Pictures that fail, one a line: the sheet's number, the row's letter and the column's number, as in \"2 c5\".
# Fill this in before you look at key.csv, then run `trainer blind --count-failed FOLDER`.
";

/// Arguments of `blind`.
#[derive(Args, Debug, Clone)]
pub struct BlindArgs {
    /// What to compare: weights files, checkpoints or run folders, and folders or .zips of images (their test part). A model
    /// with a sampler (see `trainer fit-latents`) may be given twice, the second time as MODEL:independent.
    #[arg(required_unless_present = "count_failed", num_args = 1..)]
    pub sources: Vec<PathBuf>,
    /// Number of pictures of each, 1 to 1000.
    #[arg(long, default_value_t = 42, value_parser = count(1..=1000_usize))]
    pub count: usize,
    /// Temperatures of samples, the same for all models [default: what each model's card recommends].
    #[command(flatten)]
    pub temperature: TemperatureArgs,
    /// Seed of the samples and of their order, which is stored with the key [default: random].
    #[arg(long, value_parser = seed())]
    pub seed: Option<u64>,
    /// Enlarge each pixel this many times, 1 to 32.
    #[arg(long, default_value_t = 4, value_parser = zoom())]
    pub zoom: u32,
    /// Folder for the sheets, the key and the list of failures to fill in.
    #[arg(long, default_value = "blind")]
    pub out: PathBuf,
    /// Instead count the failures listed in this folder, for each of its sources.
    #[arg(long, value_name = "FOLDER", conflicts_with = "sources")]
    pub count_failed: Option<PathBuf>,
    /// Which checkpoint of a run folder.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// A line of the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Cell {
    sheet: usize,
    /// As "c5".
    cell: String,
    source: String,
    seed: u64,
    index: usize,
}

/// Writes shuffled sheets, so that someone can count failures without knowing whose they are; or counts.
///
/// # Errors
/// A model or images that cannot be read, files that cannot be written, a list of failures that is not one.
pub fn run(args: BlindArgs) -> Result<()> {
    match &args.count_failed {
        Some(folder) => tell(folder),
        None => sheets(&args),
    }
}

/// Pictures of one source, under its name.
struct Source {
    name: String,
    seed: u64,
    pictures: Vec<Vec<u8>>,
}

fn sheets(args: &BlindArgs) -> Result<()> {
    // Before anything is drawn.
    if args.out.join(KEY).exists() {
        let problem = format!("{} holds another count", args.out.display());
        return Err(Error::usage("--out", problem, "give a new folder, or remove that one"));
    }
    for source in args.sources.iter().filter(|path| !is_model(path)) {
        keep_apart(&source.display().to_string(), None, &args.out)?;
    }
    let seed = args.seed.unwrap_or_else(random_seed);
    let first = args.sources.iter().find(|path| is_model(path));
    let [channels, size] = match first {
        Some(path) => about(&model_of(path).0, args.which.which)?.config.image_shape(),
        None => [3, 32],
    };
    let sources = args.sources.iter().enumerate().map(|(k, path)| match is_model(path) {
        // Of seeds that differ, so that no face is seen twice.
        true => samples(args, path, seed.wrapping_add(k as u64), [channels, size]),
        false => images(args, path, [channels, size]),
    });
    let sources = sources.collect::<Result<Vec<_>>>()?;
    make_folder(&args.out)?;
    let mut order: Vec<(usize, usize)> =
        sources.iter().enumerate().flat_map(|(s, source)| (0..source.pictures.len()).map(move |i| (s, i))).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let columns: Vec<String> = (1..=COLUMNS).map(|c| c.to_string()).collect();
    let mut key = Vec::new();
    for (number, cells) in order.chunks(COLUMNS * ROWS).enumerate() {
        let rows: Vec<Row> = cells
            .chunks(COLUMNS)
            .enumerate()
            .map(|(r, row)| {
                let picture = |&(s, i): &(usize, usize)| -> RgbImage {
                    sheet::picture_of(&sources[s].pictures[i], size, channels)
                };
                Row { label: letter(r).to_string(), pictures: row.iter().map(picture).collect() }
            })
            .collect();
        let path = args.out.join(format!("sheet-{}.png", number + 1));
        sheet::save(&figure(&columns, &rows, size as u32 * args.zoom)?, &path)?;
        key.extend(cells.iter().enumerate().map(|(k, &(s, index))| Cell {
            sheet: number + 1,
            cell: format!("{}{}", letter(k / COLUMNS), k % COLUMNS + 1),
            source: sources[s].name.clone(),
            seed: sources[s].seed,
            index,
        }));
    }
    write_key(&args.out.join(KEY), &key)?;
    write_atomically(&args.out.join(FAILED), INSTRUCTIONS.as_bytes())?;
    let count = key.last().map_or(0, |cell| cell.sheet);
    say!("{} pictures on {count} sheets in {}; list those that fail in {FAILED} there", key.len(), args.out.display())
}

/// What a model's path ends with if its latents are to be drawn independently.
const INDEPENDENT: &str = ":independent";

/// Whether a source is a model; else it is images.
fn is_model(path: &Path) -> bool {
    let (path, _) = model_of(path);
    path.extension().is_some_and(|e| e == "safetensors" || e == "ckpt") || path.join("checkpoints").is_dir()
}

/// A model's path, and whether its latents are to be drawn independently.
fn model_of(path: &Path) -> (PathBuf, bool) {
    match path.to_str().and_then(|path| path.strip_suffix(INDEPENDENT)) {
        Some(model) => (model.into(), true),
        None => (path.to_owned(), false),
    }
}

fn samples(args: &BlindArgs, path: &Path, seed: u64, shape: [usize; 2]) -> Result<Source> {
    let (model, independent) = model_of(path);
    let opened = AnyModel::open(&model, args.which.which, args.device.device)?;
    let own = opened.config.image_shape();
    if own != shape {
        let problem = format!("{} makes images of {} pixels, another model of {}", path.display(), own[1], shape[1]);
        return Err(Error::usage("SOURCES", problem, "compare models of one size"));
    }
    let independent = independent || args.temperature.independent;
    let temperature = TemperatureArgs { independent, ..args.temperature.clone() };
    let drawing = temperature.drawing(opened.joint.as_ref(), &opened.card);
    let pictures = opened.engine.sample(seed, args.count as u64, &drawing)?;
    Ok(Source { name: path.display().to_string(), seed, pictures })
}

fn images(args: &BlindArgs, path: &Path, [channels, size]: [usize; 2]) -> Result<Source> {
    let options = DataOptions { size, test_limit: Some(args.count), ..DataOptions::default() };
    let test = test_part(&path.display().to_string(), &options, channels)?.images;
    let pictures = test.iter().map(<[u8]>::to_vec).collect();
    Ok(Source { name: path.display().to_string(), seed: 0, pictures })
}

fn letter(row: usize) -> char {
    (b'a' + row as u8) as char
}

fn write_key(path: &Path, key: &[Cell]) -> Result<()> {
    let wrong = |source| Error::Csv { path: path.to_owned(), source };
    let mut writer = csv::Writer::from_writer(Vec::new());
    key.iter().try_for_each(|cell| writer.serialize(cell)).map_err(wrong)?;
    let bytes = writer.into_inner().map_err(|e| Error::content(path.display(), e.to_string(), "try again"))?;
    write_atomically(path, &bytes)
}

fn tell(folder: &Path) -> Result<()> {
    let (key_path, failed_path) = (folder.join(KEY), folder.join(FAILED));
    let key = csv::Reader::from_reader(read_limited(&key_path, MAX_BYTES)?.as_slice())
        .into_deserialize()
        .collect::<std::result::Result<Vec<Cell>, _>>()
        .map_err(|source| Error::Csv { path: key_path, source })?;
    let text = read_limited(&failed_path, MAX_BYTES)?;
    let failed = read_failed(&String::from_utf8_lossy(&text), &key, &failed_path)?;
    let counts = counted(&key, &failed);
    let width = counts.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
    let first = counts.first().map(|&(_, failed, of)| (failed, of));
    for (name, failed, of) in &counts {
        let share = *failed as f64 / *of as f64;
        let error = (share * (1.0 - share) / *of as f64).sqrt();
        let z = first.map_or(0.0, |first| z((*failed, *of), first));
        say!("{name:<width$}  {failed:>4} of {of:<4}  {:>5.1} ± {:.1} %  z {z:>5.1}", 100.0 * share, 100.0 * error)?;
    }
    say!("z: failures above the first line's, in standard errors of the difference")
}

/// The cells that are listed, each once.
fn read_failed(text: &str, key: &[Cell], path: &Path) -> Result<BTreeSet<(usize, String)>> {
    let known: BTreeSet<(usize, &str)> = key.iter().map(|cell| (cell.sheet, cell.cell.as_str())).collect();
    let mut failed = BTreeSet::new();
    for line in text.lines().map(|line| line.split('#').next().unwrap_or("").trim()).filter(|line| !line.is_empty()) {
        let cell = line
            .split_once(char::is_whitespace)
            .and_then(|(sheet, cell)| Some((sheet.parse().ok()?, cell.trim().to_lowercase())));
        match cell.filter(|(sheet, cell)| known.contains(&(*sheet, cell.as_str()))) {
            Some(cell) => failed.insert(cell),
            None => {
                let problem = format!("“{line}” is not a picture on these sheets");
                return Err(Error::content(
                    path.display(),
                    problem,
                    "write the sheet's number and the cell, as in “2 c5”",
                ));
            }
        };
    }
    Ok(failed)
}

/// For each source, in order of their names: failures, and pictures.
fn counted(key: &[Cell], failed: &BTreeSet<(usize, String)>) -> Vec<(String, usize, usize)> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for cell in key {
        let count = counts.entry(&cell.source).or_default();
        count.0 += usize::from(failed.contains(&(cell.sheet, cell.cell.clone())));
        count.1 += 1;
    }
    counts.into_iter().map(|(name, (failed, of))| (name.to_owned(), failed, of)).collect()
}

/// How far two shares are apart, in standard errors of their difference if they were equal.
fn z(a: (usize, usize), b: (usize, usize)) -> f64 {
    let share = |(failed, of): (usize, usize)| failed as f64 / of as f64;
    let pooled = share((a.0 + b.0, a.1 + b.1));
    let error = (pooled * (1.0 - pooled) * (1.0 / a.1 as f64 + 1.0 / b.1 as f64)).sqrt();
    if error > 0.0 { (share(a) - share(b)) / error } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Vec<Cell> {
        let cell = |k: usize| Cell {
            sheet: k / 42 + 1,
            cell: format!("{}{}", letter(k % 42 / 7), k % 7 + 1),
            source: if k.is_multiple_of(3) { "a" } else { "b" }.into(),
            seed: 1,
            index: k,
        };
        (0..60).map(cell).collect()
    }

    #[test]
    fn failures_are_counted_for_their_source() {
        let path = Path::new("failed.txt");
        let failed = read_failed("# mine\n1 a1\n1  A2 # smeared\n\n2 c4\n1 a1\n", &key(), path).unwrap();
        assert_eq!(failed.len(), 3);
        // 1 a1 is number 0, 1 a2 number 1, 2 c4 number 59.
        assert_eq!(counted(&key(), &failed), [("a".into(), 1, 20), ("b".into(), 2, 40)]);
        for bad in ["1 g1", "3 a1", "a1", "1", "1 a1 b2", "1 a8"] {
            let error = read_failed(bad, &key(), path).unwrap_err().to_string();
            assert!(error.contains("failed.txt") && error.contains(bad), "{error}");
        }
    }

    #[test]
    fn z_is_the_two_sample_test_of_shares() {
        assert!((z((19, 42), (9, 42)) - 2.31).abs() < 0.02, "{}", z((19, 42), (9, 42)));
        assert_eq!(z((0, 5), (0, 5)), 0.0);
        assert_eq!(z((3, 10), (3, 10)), 0.0);
    }
}
