//! Loads a data set from folders or archives of pictures: which are for what, then all decoded
//! once, in parallel, into bytes.

use std::path::Path;

use rayon::prelude::*;

use super::container::{Container, open};
use super::images::{Crop, check_memory, decode};
use super::names::{file_name, name_of, stem, test_beside};
use super::source::DataOptions;
use super::split::{choose, hold_out};
use super::{CHANNELS, Dataset, ImageSet, Labels, celeba, labels_csv};
use crate::error::{Error, Result};

/// Undecoded pictures are held until there are this many, or this many bytes of them.
const CHUNK: usize = 512;
const CHUNK_BYTES: usize = 128 << 20;

/// Loads the pictures at `path` and what there is to test on: `--test-data`, a `test` folder
/// beside the `train` folder inside, `X-test` beside `X-train`, CelebA's own split, or else a
/// part held out.
pub(crate) fn load(path: &Path, options: &DataOptions) -> Result<Dataset> {
    let path = &celeba::locate(path);
    let inner = path.join("train");
    let (train_path, own_test) = if inner.is_dir() && path.join("test").is_dir() {
        (inner, Some(path.join("test")))
    } else {
        (path.clone(), test_beside(path))
    };
    let test_path = options.test_data.clone().or(own_test);
    let mut train = open(&train_path)?;
    let official = celeba::partition(&*train)?;
    let all: Vec<usize> = (0..train.names().len()).collect();
    let file = path.display().to_string();
    let (train_picks, test_picks, split) = match (&test_path, official) {
        (Some(test), official) => {
            let split = format!("tested on {}", file_name(test));
            (official.map_or(all, |(train, _)| train), Vec::new(), split)
        }
        (None, Some((train, test))) => (train, test, "the official train and test parts".into()),
        (None, None) => {
            let (train, test) = hold_out(&file, all.len(), options.test_fraction, options.seed)?;
            (train, test, format!("a random part held out with seed {}", options.seed))
        }
    };
    let name = name_of(path);
    let skipped = train.skipped();
    let is_celeba = celeba::is_celeba(&*train);
    let train_picks = choose(train_picks, options.limit, options.seed);
    let test_picks = choose(test_picks, options.test_limit, options.seed);
    let both = train_picks.len() + test_picks.len();
    check_memory(&file, both, options.size, options.memory_limit)?;
    let mut test = match &test_path {
        Some(test) => whole(test, &format!("{name}-test"), options)?,
        None => read(&mut *train, &test_picks, format!("{name}-test"), options.size)?,
    };
    let mut train = read(&mut *train, &train_picks, format!("{name}-train"), options.size)?;
    if let (Some(ours), Some(theirs)) = (&mut train.labels, &mut test.labels) {
        ours.unify(theirs);
    }
    let (n, m, from) = (train.len(), test.len(), file_name(path));
    let mut description = format!("{n} pictures to train on and {m} to test on, from {from}: {split}");
    if skipped > 0 {
        description += &format!("; {skipped} files that are no pictures were skipped");
    }
    let licence = is_celeba.then(|| celeba::LICENCE.to_string());
    Ok(Dataset { name, train, test, licence, description })
}

/// All pictures at `path` as a test set.
pub(crate) fn whole(path: &Path, name: &str, options: &DataOptions) -> Result<ImageSet> {
    if !path.exists() {
        let problem = "there is no such file or folder";
        return Err(Error::usage(path.display().to_string(), problem, "check the test data's path"));
    }
    let mut container = open(path)?;
    let all = (0..container.names().len()).collect();
    let picks = choose(all, options.test_limit, options.seed);
    let file = path.display().to_string();
    check_memory(&file, picks.len(), options.size, options.memory_limit)?;
    read(&mut *container, &picks, name.to_string(), options.size)
}

/// Decodes the pictures at `picks`, with their labels if there is a csv.
fn read(container: &mut dyn Container, picks: &[usize], name: String, size: usize) -> Result<ImageSet> {
    if picks.is_empty() {
        let advice = "raise the limit, or check how the set is split";
        return Err(Error::content(container.path().display(), "no picture is left", advice));
    }
    let labels = labels_of(container)?.map(|labels| labels.subset(picks));
    let crop = if celeba::is_celeba(container) { Crop::Celeba } else { Crop::Square };
    let total = picks.len() * CHANNELS * size * size;
    let mut pixels = Vec::new();
    if pixels.try_reserve_exact(total).is_err() {
        let problem = format!("there is no memory for {} pictures", picks.len());
        return Err(Error::content(container.path().display(), problem, "set a smaller limit"));
    }
    let (mut chunk, mut bytes) = (Vec::new(), 0);
    for (done, &pick) in picks.iter().enumerate() {
        let picture = container.read(pick)?;
        bytes += picture.len();
        chunk.push((container.label(pick), picture));
        if chunk.len() == CHUNK || bytes >= CHUNK_BYTES || done + 1 == picks.len() {
            let decoded: Vec<Result<Vec<u8>>> =
                chunk.par_iter().map(|(label, picture)| decode(picture, label, crop, size)).collect();
            for picture in decoded {
                pixels.extend_from_slice(&picture?);
            }
            chunk.clear();
            bytes = 0;
        }
    }
    ImageSet::new(name, size, pixels, labels)
}

/// The labels of all pictures: `X.csv` beside `X.zip` or the folder X, or `labels.csv` in the
/// folder.
fn labels_of(container: &dyn Container) -> Result<Option<Labels>> {
    let path = container.path();
    let inside = path.join("labels.csv");
    let beside = path.parent().map(|parent| parent.join(format!("{}.csv", stem(path))));
    let Some(csv) = [Some(inside), beside].into_iter().flatten().find(|csv| csv.is_file()) else {
        return Ok(None);
    };
    let names: Vec<&str> = container.names().iter().map(String::as_str).collect();
    labels_csv::read(&csv, &names).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::{plain, write_zip};

    fn options() -> DataOptions {
        DataOptions { size: 4, ..DataOptions::default() }
    }

    /// Ten pictures whose red is their index times ten.
    fn write_folder(dir: &Path, count: u8) {
        std::fs::create_dir_all(dir).unwrap();
        for i in 0..count {
            std::fs::write(dir.join(format!("{i:02}.png")), plain(4, [i * 10, 0, 0])).unwrap();
        }
    }

    fn reds(set: &ImageSet) -> Vec<u8> {
        set.iter().map(|image| image[0]).collect()
    }

    #[test]
    fn a_folder_is_split_and_its_labels_follow() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("toys");
        write_folder(&root, 10);
        let rows: String = (0..10).map(|i| format!("{i:02}.png,{}\n", i * 10)).collect();
        std::fs::write(dir.path().join("toys.csv"), format!("file,red\n{rows}")).unwrap();
        let options = DataOptions { test_fraction: 0.3, limit: Some(5), ..options() };
        let data = load(&root, &options).unwrap();
        assert_eq!((data.train.len(), data.test.len()), (5, 3));
        assert_eq!((data.name.as_str(), data.train.name.as_str()), ("toys", "toys-train"));
        for set in [&data.train, &data.test] {
            let red = set.labels().unwrap().column("red").unwrap();
            assert_eq!(reds(set), red.iter().map(|&red| red as u8).collect::<Vec<_>>());
        }
        assert!(reds(&data.train).iter().all(|red| !reds(&data.test).contains(red)));
        assert_eq!(load(&root, &options).unwrap(), data);
    }

    #[test]
    fn a_test_set_beside_inside_or_named_is_used() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        write_zip(&at("x-train.zip"), &[("a.png", &plain(4, [1; 3])), ("note.txt", b"")]);
        write_zip(&at("x-test.zip"), &[("b.png", &plain(4, [2; 3])), ("c.png", &plain(4, [3; 3]))]);
        std::fs::write(at("x-train.csv"), "file,kind\na,zebra\n").unwrap();
        std::fs::write(at("x-test.csv"), "file,kind\nb,ant\nc,zebra\n").unwrap();
        let data = load(&at("x-train.zip"), &options()).unwrap();
        assert_eq!(data.train.labels().unwrap().values(), [1.0]);
        assert_eq!(data.test.labels().unwrap().values(), [0.0, 1.0]);
        assert_eq!((reds(&data.train), reds(&data.test)), (vec![1], vec![2, 3]));
        assert_eq!(data.name, "x");
        assert!(data.description.contains("1 files that are no pictures"), "{}", data.description);
        assert!(!data.description.contains(&dir.path().display().to_string()));
        write_folder(&at("y/train"), 3);
        write_folder(&at("y/test"), 2);
        let data = load(&at("y"), &options()).unwrap();
        assert_eq!((data.train.len(), data.test.len(), data.name.as_str()), (3, 2, "y"));
        let named = DataOptions { test_data: Some(at("y/test")), test_limit: Some(1), ..options() };
        let data = load(&at("x-train.zip"), &named).unwrap();
        assert_eq!((data.train.len(), data.test.len()), (1, 1));
        let absent = DataOptions { test_data: Some(at("nowhere")), ..options() };
        assert!(load(&at("y"), &absent).unwrap_err().to_string().contains("nowhere"));
    }

    #[test]
    fn more_than_a_chunk_stays_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("many-train.zip");
        let pictures: Vec<(String, Vec<u8>)> =
            (0..1100u32).map(|i| (format!("{i:05}.png"), plain(1, [(i % 256) as u8, (i / 256) as u8, 0]))).collect();
        let entries: Vec<(&str, &[u8])> =
            pictures.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        write_zip(&path, &entries);
        let set = whole(&path, "many", &DataOptions { size: 1, ..options() }).unwrap();
        let read: Vec<u32> = set.iter().map(|p| u32::from(p[0]) + 256 * u32::from(p[1])).collect();
        assert_eq!(read, (0..1100).collect::<Vec<_>>());
    }

    #[test]
    fn the_bad_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        write_folder(dir.path(), 5);
        let whole = plain(64, [9, 8, 7]);
        std::fs::write(dir.path().join("broken.png"), &whole[..whole.len() - 20]).unwrap();
        let error = load(dir.path(), &options()).unwrap_err().to_string();
        assert!(error.contains("broken.png: not a picture"), "{error}");
    }

    #[test]
    fn limits_are_kept_before_decoding() {
        let dir = tempfile::tempdir().unwrap();
        write_folder(dir.path(), 10);
        let tight = DataOptions { memory_limit: 400, ..options() };
        let error = load(dir.path(), &tight).unwrap_err().to_string();
        assert!(error.contains("--limit"), "{error}");
        let fits = DataOptions { limit: Some(7), ..tight };
        assert_eq!(load(dir.path(), &fits).unwrap().train.len(), 7);
        let none = DataOptions { limit: Some(0), ..options() };
        assert!(load(dir.path(), &none).unwrap_err().to_string().contains("no picture is left"));
    }
}
