//! CIFAR-10's binary version: the folder `cifar-10-batches-bin`, or `cifar-10-binary.tar.gz` as it
//! is given out.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::images::{check_memory, resize_planar};
use super::source::DataOptions;
use super::split::choose;
use super::{Dataset, ImageSet, Labels};
use crate::error::{Error, Result};

const CLASSES: [&str; 10] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
];
const TRAIN: [&str; 5] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
];
const TEST: &str = "test_batch.bin";
const EDGE: usize = 32;
/// A class, then 32×32 pixels: all reds, all greens, all blues.
const RECORD: usize = 1 + 3 * EDGE * EDGE;
/// A batch has 31 MB.
const MAX_BATCH: u64 = 64 << 20;
/// The unpacked archive has 184 MB.
const MAX_UNPACKED: u64 = 1 << 30;

/// A batch's name and content.
type Batch = (&'static str, Vec<u8>);

/// The folder of batches at or in `path`, or an archive.
pub(crate) fn locate(path: &Path) -> Option<PathBuf> {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_ascii_lowercase());
    let packed = name.is_some_and(|name| name.ends_with(".tar.gz") || name.ends_with(".tgz"));
    if packed && path.is_file() {
        return Some(path.to_path_buf());
    }
    let folders = [path.to_path_buf(), path.join("cifar-10-batches-bin")];
    folders
        .into_iter()
        .find(|folder| folder.join(TRAIN[0]).is_file() || folder.join(TEST).is_file())
}

/// Loads what [`locate`] found.
pub(crate) fn load(path: &Path, options: &DataOptions) -> Result<Dataset> {
    let batches = if path.is_dir() {
        from_folder(path)?
    } else {
        from_archive(path)?
    };
    let whole = |name: &str| batches.iter().find(|batch| batch.0 == name);
    if let Some(absent) = TRAIN
        .iter()
        .chain([&TEST])
        .find(|name| whole(name).is_none())
    {
        let problem = format!("{absent} is missing");
        let advice = "give CIFAR-10's binary version, with all six batches";
        return Err(Error::content(path.display(), problem, advice));
    }
    let (test, train): (Vec<&Batch>, Vec<&Batch>) =
        batches.iter().partition(|batch| batch.0 == TEST);
    let train = set(path, &train, "cifar10-train", options.limit, options)?;
    let test = set(path, &test, "cifar10-test", options.test_limit, options)?;
    let (n, m) = (train.len(), test.len());
    let description =
        format!("CIFAR-10 (Krizhevsky 2009): {n} pictures to train on and {m} to test on");
    Ok(Dataset {
        name: "cifar10".into(),
        train,
        test,
        licence: None,
        description,
    })
}

fn from_folder(folder: &Path) -> Result<Vec<Batch>> {
    let mut batches = Vec::new();
    for name in TRAIN.into_iter().chain([TEST]) {
        let path = folder.join(name);
        if path.is_file() {
            let file = File::open(&path).map_err(Error::io(&path, "open it"))?;
            batches.push((name, content(file, &path, name)?));
        }
    }
    Ok(batches)
}

fn from_archive(path: &Path) -> Result<Vec<Batch>> {
    let file = File::open(path).map_err(Error::io(path, "open it"))?;
    let unpacked = MultiGzDecoder::new(file).take(MAX_UNPACKED);
    let mut archive = tar::Archive::new(unpacked);
    let mut batches: Vec<Batch> = Vec::new();
    for entry in archive.entries().map_err(Error::io(path, "unpack it"))? {
        let entry = entry.map_err(Error::io(path, "unpack it"))?;
        let base = entry
            .path()
            .ok()
            .and_then(|path| path.file_name().map(ToOwned::to_owned));
        let name = TRAIN
            .into_iter()
            .chain([TEST])
            .find(|name| base.as_deref() == Some(name.as_ref()));
        if let Some(name) = name.filter(|name| batches.iter().all(|batch| batch.0 != *name)) {
            batches.push((name, content(entry, path, name)?));
        }
    }
    batches.sort_by_key(|batch| batch.0);
    Ok(batches)
}

fn content(file: impl Read, path: &Path, name: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_BATCH)
        .read_to_end(&mut bytes)
        .map_err(Error::io(path, "read it"))?;
    if bytes.is_empty() || !bytes.len().is_multiple_of(RECORD) {
        let problem = format!(
            "{name} has {} bytes, not a whole number of records of {RECORD}",
            bytes.len()
        );
        return Err(Error::content(path.display(), problem, "fetch it again"));
    }
    Ok(bytes)
}

fn set(
    path: &Path,
    batches: &[&Batch],
    name: &str,
    limit: Option<usize>,
    options: &DataOptions,
) -> Result<ImageSet> {
    let records: Vec<&[u8]> = batches
        .iter()
        .flat_map(|batch| batch.1.chunks_exact(RECORD))
        .collect();
    let picks = choose((0..records.len()).collect(), limit, options.seed);
    let file = path.display().to_string();
    check_memory(&file, picks.len(), options.size, options.memory_limit)?;
    let (mut pixels, mut classes) = (Vec::new(), Vec::new());
    for pick in picks {
        let (class, planes) = (records[pick][0], &records[pick][1..]);
        if usize::from(class) >= CLASSES.len() {
            let problem = format!("a record has the class {class}, where 9 is the last");
            return Err(Error::content(
                file,
                problem,
                "fetch it again: this is not CIFAR-10",
            ));
        }
        pixels.extend(resize_planar(planes.to_vec(), EDGE, options.size));
        classes.push(f32::from(class));
    }
    ImageSet::new(
        name,
        options.size,
        pixels,
        Some(Labels::classes("class", &CLASSES, classes)?),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};

    /// Two records: of class `class` and the next, the planes filled with 3 numbers each.
    fn batch(class: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        for class in [class, class + 1] {
            bytes.push(class);
            for plane in 0..3 {
                bytes.extend([class * 10 + plane; 1024]);
            }
        }
        bytes
    }

    fn write(folder: &Path) {
        std::fs::create_dir_all(folder).unwrap();
        for (i, name) in TRAIN.iter().enumerate() {
            std::fs::write(folder.join(name), batch(i as u8)).unwrap();
        }
        std::fs::write(folder.join(TEST), batch(8)).unwrap();
    }

    fn check(data: &Dataset) {
        assert_eq!(
            (data.train.len(), data.test.len(), data.name.as_str()),
            (10, 2, "cifar10")
        );
        let image = data.train.image(3);
        assert_eq!((image[0], image[1024], image[3071]), (20, 21, 22));
        assert_eq!(data.train.labels().unwrap().text(3, 0), "bird");
        assert_eq!(data.test.labels().unwrap().text(1, 0), "truck");
    }

    #[test]
    fn records_come_back_from_a_folder_and_an_archive() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("cifar-10-batches-bin");
        write(&folder);
        for path in [dir.path(), folder.as_path()] {
            check(&load(&locate(path).unwrap(), &DataOptions::default()).unwrap());
        }
        let packed = dir.path().join("cifar-10-binary.tar.gz");
        let gz = GzEncoder::new(File::create(&packed).unwrap(), Compression::fast());
        let mut tar = tar::Builder::new(gz);
        tar.append_dir_all("cifar-10-batches-bin", &folder).unwrap();
        tar.into_inner().unwrap().finish().unwrap();
        check(&load(&locate(&packed).unwrap(), &DataOptions::default()).unwrap());
        let bytes = std::fs::read(&packed).unwrap();
        std::fs::write(&packed, &bytes[..bytes.len() / 2]).unwrap();
        let error = load(&packed, &DataOptions::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("cifar-10-binary.tar.gz"), "{error}");
    }

    #[test]
    fn other_sizes_and_limits_are_served() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path());
        let options = DataOptions {
            size: 16,
            limit: Some(3),
            ..DataOptions::default()
        };
        let data = load(dir.path(), &options).unwrap();
        assert_eq!(
            (data.train.len(), data.train.size, data.test.len()),
            (3, 16, 2)
        );
        assert_eq!((data.test.image(0)[0], data.test.image(0)[256]), (80, 81));
        assert!(
            load(
                dir.path(),
                &DataOptions {
                    memory_limit: 9,
                    ..options
                }
            )
            .is_err()
        );
    }

    #[test]
    fn damaged_batches_are_named() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(locate(dir.path()), None);
        write(dir.path());
        let path = dir.path().join(TRAIN[2]);
        for bytes in [vec![], vec![1; RECORD - 1], vec![1; RECORD + 1]] {
            std::fs::write(&path, bytes).unwrap();
            let error = load(dir.path(), &DataOptions::default())
                .unwrap_err()
                .to_string();
            assert!(error.contains("data_batch_3.bin"), "{error}");
        }
        std::fs::write(&path, vec![10; RECORD]).unwrap();
        assert!(
            load(dir.path(), &DataOptions::default())
                .unwrap_err()
                .to_string()
                .contains("class 10")
        );
        std::fs::remove_file(&path).unwrap();
        let error = load(dir.path(), &DataOptions::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("data_batch_3.bin is missing"), "{error}");
    }
}
