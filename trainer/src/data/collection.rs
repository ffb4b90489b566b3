//! Loads a data set from folders or archives of pictures: which are for what, then all decoded
//! once, in parallel, into bytes.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::broken::Broken;
use super::container::{Container, MAX_FILE};
use super::images::{Crop, Decoded, check_memory, decode};
use super::labels::Labels;
use super::names::{file_name, name_of, stem, test_beside};
use super::open::{open, open_part};
use super::options::{DataOptions, Loaded, Wanted};
use super::profile::Colours;
use super::set::{CHANNELS, ImageSet};
use super::skipped::Skipped;
use super::split::{choose, first, hold_out};
use super::{celeba, labels_csv, metadata, parts};
use crate::error::{Error, Result};
use crate::progress::Progress;

/// Undecoded pictures are held until there are this many, or this many bytes of them.
const CHUNK: usize = 512;
const CHUNK_BYTES: usize = 128 << 20;

/// What is counted while pictures are read.
#[derive(Default)]
struct Counts {
    skipped: Skipped,
    broken: Broken,
    converted: usize,
    unknown_colours: usize,
}

impl Counts {
    /// An error if there are broken pictures that the user did not ask to leave out.
    fn check(&self, options: &DataOptions) -> Result<()> {
        if options.skip_broken { Ok(()) } else { self.broken.refuse() }
    }

    /// What the user should know.
    fn notes(&self) -> Vec<String> {
        let colours = |count: usize, what: &str| (count > 0).then(|| format!("{count} pictures {what}"));
        let notes = [
            self.skipped.note(),
            self.broken.note(),
            colours(self.converted, "have a colour profile and were converted to sRGB"),
            colours(
                self.unknown_colours,
                "have a colour profile that cannot be used; their colours were taken as sRGB",
            ),
        ];
        notes.into_iter().flatten().collect()
    }
}

/// Loads the pictures at `path` and what there is to test on: `--test-data`, a `test` or `val` folder
/// beside the `train` folder inside, `X-test` beside `X-train`, CelebA's own split, or else a
/// part held out.
pub(crate) fn load(path: &Path, options: &DataOptions, wanted: Wanted) -> Result<Loaded> {
    let path = &celeba::locate(path);
    let mut notes = Vec::new();
    let mut train = open(path)?;
    let mut own_test = None;
    if let Some(parts) = parts::find(train.names()) {
        train = open_part(path, &parts.train)?;
        own_test = Some((open_part(path, &parts.test)?, parts.test.clone()));
        if options.test_data.is_none() && !parts.test.eq_ignore_ascii_case("test") {
            notes.push(format!("tested on the folder {}", parts.test));
        }
        if !parts.beside.is_empty() {
            notes.push(format!("left out, beside {} and {}: {}", parts.train, parts.test, parts.beside.join(", ")));
        }
    } else if let Some(test) = test_beside(path) {
        own_test = Some((open(&test)?, file_name(&test)));
    }
    if let Some(test) = &options.test_data {
        own_test = Some((open_test(test)?, file_name(test)));
    }
    let official = celeba::partition(&mut *train)?;
    let all: Vec<usize> = (0..train.names().len()).collect();
    let file = path.display().to_string();
    let (train_picks, test_picks, split) = match (&own_test, official) {
        (Some((test, name)), official) => {
            let tested = (0..test.names().len()).collect();
            (official.map_or(all, |(train, _)| train), tested, format!("tested on {name}"))
        }
        (None, Some((train, test))) => (train, test, "the official train and test parts".into()),
        (None, None) => {
            let (train, test) = hold_out(&file, train.names(), options.test_fraction, options.seed)?;
            (train, test, format!("a part held out by the pictures' names and seed {}", options.seed))
        }
    };
    let name = name_of(path);
    let is_celeba = celeba::is_celeba(&*train);
    let train_picks = if wanted == Wanted::Both { choose(train_picks, options.limit, options.seed) } else { vec![] };
    let test_picks = first(test_picks, options.test_limit);
    check_memory(&file, train_picks.len() + test_picks.len(), options.size, options.memory_limit)?;
    let mut counts = Counts::default();
    let trained = match wanted {
        Wanted::Both => {
            counts.skipped.merge(train.skipped());
            read(&mut *train, &train_picks, format!("{name}-train"), options, &mut counts)?
        }
        Wanted::Test => None,
    };
    // The names of categories are those of the whole set, whichever part is wanted.
    let mut table = if trained.is_none() { labels_of(&mut *train).ok().flatten() } else { None };
    let tested = match &mut own_test {
        Some((test, _)) => {
            counts.skipped.merge(test.skipped());
            read(&mut **test, &test_picks, format!("{name}-test"), options, &mut counts)?
        }
        None => {
            if wanted == Wanted::Test {
                counts.skipped.merge(train.skipped());
            }
            read(&mut *train, &test_picks, format!("{name}-test"), options, &mut counts)?
        }
    };
    counts.check(options)?;
    let left = |set: Option<ImageSet>, part: &str| {
        let advice = "raise the limit, or check how the set is split";
        set.ok_or_else(|| Error::content(&file, format!("no picture is left {part}"), advice))
    };
    let mut test = left(tested, "to test on")?;
    let mut train = if wanted == Wanted::Both { Some(left(trained, "to train on")?) } else { None };
    let ours = train.as_mut().map_or(table.as_mut(), |train| train.labels.as_mut());
    if let (Some(ours), Some(theirs)) = (ours, &mut test.labels) {
        ours.unify(theirs);
    }
    let (n, m, from) = (train.as_ref().map_or(0, ImageSet::len), test.len(), file_name(path));
    let description = format!("{n} pictures to train on and {m} to test on, from {from}: {split}");
    notes.extend(counts.notes());
    let licence = is_celeba.then(|| celeba::LICENCE.to_string());
    Ok(Loaded { name, train, test, licence, description, notes, mirrors: true })
}

fn open_test(path: &Path) -> Result<Box<dyn Container>> {
    if path.exists() {
        return open(path);
    }
    let problem = "there is no such file or folder";
    Err(Error::usage(path.display().to_string(), problem, "check the test data's path"))
}

/// All pictures at `path` as a test set, and what to know of it.
pub(crate) fn whole(path: &Path, name: &str, options: &DataOptions) -> Result<(ImageSet, Vec<String>)> {
    let mut container = open_test(path)?;
    let picks = first((0..container.names().len()).collect(), options.test_limit);
    let file = path.display().to_string();
    check_memory(&file, picks.len(), options.size, options.memory_limit)?;
    let mut counts = Counts { skipped: container.skipped().clone(), ..Counts::default() };
    let set = read(&mut *container, &picks, name.to_string(), options, &mut counts)?;
    counts.check(options)?;
    let set = set.ok_or_else(|| Error::content(file, "no picture is left", "raise the limit"))?;
    Ok((set, counts.notes()))
}

/// Decodes the pictures at `picks`, with their labels if there is a table; none if no picture is left. Broken ones are
/// counted and left out.
fn read(
    container: &mut dyn Container,
    picks: &[usize],
    name: String,
    options: &DataOptions,
    counts: &mut Counts,
) -> Result<Option<ImageSet>> {
    let size = options.size;
    let labels = labels_of(container)?;
    let crop = if celeba::is_celeba(container) { Crop::Celeba } else { Crop::Square };
    let mut pixels = Vec::new();
    if pixels.try_reserve_exact(picks.len() * CHANNELS * size * size).is_err() {
        let problem = format!("there is not enough memory for {} pictures", picks.len());
        return Err(Error::content(container.path().display(), problem, "set a smaller limit"));
    }
    let mut good = Vec::with_capacity(picks.len());
    let (mut chunk, mut bytes) = (Vec::new(), 0);
    let progress = Progress::new("images read", picks.len());
    for (done, &pick) in picks.iter().enumerate() {
        let picture = container.read(pick);
        bytes += picture.as_ref().map_or(0, Vec::len);
        chunk.push((pick, container.label(pick), picture));
        if chunk.len() == CHUNK || bytes >= CHUNK_BYTES || done + 1 == picks.len() {
            let decode = |(pick, label, picture): (usize, String, Result<Vec<u8>>)| {
                (pick, picture.and_then(|picture| decode(&picture, &label, crop, size)))
            };
            let decoded: Vec<(usize, Result<Decoded>)> =
                std::mem::take(&mut chunk).into_par_iter().map(decode).collect();
            for (pick, picture) in decoded {
                match picture {
                    Ok(picture) => {
                        pixels.extend_from_slice(&picture.pixels);
                        good.push(pick);
                        counts.converted += usize::from(picture.colours == Colours::Converted);
                        counts.unknown_colours += usize::from(picture.colours == Colours::Unknown);
                    }
                    Err(error) => counts.broken.add(&error),
                }
            }
            bytes = 0;
            progress.set(done + 1);
        }
        if counts.broken.is_full() && !options.skip_broken {
            break;
        }
    }
    counts.broken.looked_at(picks.len());
    if good.is_empty() {
        return Ok(None);
    }
    ImageSet::new(name, size, pixels, labels.map(|labels| labels.subset(&good))).map(Some)
}

/// The labels of all pictures: `labels.csv` among them, `X.csv` beside `X.zip` or the folder X, or Hugging Face's metadata
/// among the pictures or above their part.
fn labels_of(container: &mut dyn Container) -> Result<Option<Labels>> {
    let table = match container.companion("labels.csv")? {
        Some(table) => Some(table),
        None => beside(container.path())?,
    };
    if let Some((csv, bytes)) = table {
        return labels_csv::read(&csv, &bytes, &names_of(container)).map(Some);
    }
    for name in metadata::NAMES {
        let found = match container.companion(name)? {
            Some(found) => Some(found),
            None => container.companion_above(name)?,
        };
        if let Some((path, bytes)) = found {
            return metadata::read(&path, &bytes, container.part(), &names_of(container));
        }
    }
    Ok(None)
}

fn names_of(container: &dyn Container) -> Vec<&str> {
    container.names().iter().map(String::as_str).collect()
}

fn beside(path: &Path) -> Result<Option<(PathBuf, Vec<u8>)>> {
    let csv = path.with_file_name(format!("{}.csv", stem(path)));
    if !csv.is_file() {
        return Ok(None);
    }
    let file = File::open(&csv).map_err(Error::io(&csv, "open it"))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(Error::io(&csv, "read it"))?;
    Ok(Some((csv, bytes)))
}
