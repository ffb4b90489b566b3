//! CIFAR-10's binary version: the folder `cifar-10-batches-bin`, or `cifar-10-binary.tar.gz` as it
//! is given out; likewise its python version.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::cifar_python::{self, PLANES};
use super::images::{check_memory, resize_planar};
use super::labels::Labels;
use super::options::{DataOptions, Loaded, Wanted};
use super::set::ImageSet;
use super::sniff::sniff;
use super::split::{choose, first};
use crate::error::{Error, Result};

const CLASSES: [&str; 10] = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
/// Batches without the ending that those of the binary version have.
const TRAIN: [&str; 5] = ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"];
const TEST: &str = "test_batch";
const EDGE: usize = 32;
/// A class, then 32×32 pixels: all reds, all greens, all blues.
const RECORD: usize = 1 + PLANES;
/// A batch has 31 MB.
const MAX_BATCH: u64 = 64 << 20;
/// The unpacked archive has 184 MB.
const MAX_UNPACKED: u64 = 1 << 30;

/// A batch's name and records.
type Batch = (&'static str, Vec<u8>);

/// The folder of batches at or in `path`, or an archive.
pub(crate) fn locate(path: &Path) -> Option<PathBuf> {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase());
    let packed = name.is_some_and(|name| name.ends_with(".tar.gz") || name.ends_with(".tgz"));
    if packed && path.is_file() {
        return Some(path.to_path_buf());
    }
    let folders = ["", "cifar-10-batches-bin", "cifar-10-batches-py"].map(|folder| path.join(folder));
    folders.into_iter().find(|folder| file_of(folder, TRAIN[0]).is_some() || file_of(folder, TEST).is_some())
}

/// Loads what [`locate`] found.
pub(crate) fn load(path: &Path, options: &DataOptions, wanted: Wanted) -> Result<Loaded> {
    let batches = if path.is_dir() { from_folder(path)? } else { from_archive(path)? };
    let whole = |name: &str| batches.iter().find(|batch| batch.0 == name);
    if let Some(absent) = TRAIN.iter().chain([&TEST]).find(|name| whole(name).is_none()) {
        let problem = format!("{absent} is missing");
        let advice =
            "give CIFAR-10's binary or python version, with all six batches; unpack archives of pictures first";
        return Err(Error::content(path.display(), problem, advice));
    }
    let (test, train): (Vec<&Batch>, Vec<&Batch>) = batches.iter().partition(|batch| batch.0 == TEST);
    let all = |count: usize| (0..count).collect::<Vec<_>>();
    let train = match wanted {
        Wanted::Both => {
            let picks = |count| choose(all(count), options.limit, options.seed);
            Some(set(path, &train, "cifar10-train", picks, options)?)
        }
        Wanted::Test => None,
    };
    let test = set(path, &test, "cifar10-test", |count| first(all(count), options.test_limit), options)?;
    let (n, m) = (train.as_ref().map_or(0, ImageSet::len), test.len());
    let description = format!("CIFAR-10 (Krizhevsky 2009): {n} pictures to train on and {m} to test on");
    Ok(Loaded { name: "cifar10".into(), train, test, licence: None, description, notes: vec![], mirrors: true })
}

/// A batch's file, of either version.
fn file_of(folder: &Path, name: &str) -> Option<PathBuf> {
    [format!("{name}.bin"), name.to_string()].map(|name| folder.join(name)).into_iter().find(|file| file.is_file())
}

fn from_folder(folder: &Path) -> Result<Vec<Batch>> {
    let mut batches = Vec::new();
    for name in TRAIN.into_iter().chain([TEST]) {
        if let Some(path) = file_of(folder, name) {
            let file = File::open(&path).map_err(Error::io(&path, "open it"))?;
            let label = path.display().to_string();
            batches.push((name, content(file, &path, &label)?));
        }
    }
    Ok(batches)
}

fn from_archive(path: &Path) -> Result<Vec<Batch>> {
    let file = File::open(path).map_err(Error::io(path, "open it"))?;
    let mut file = BufReader::new(file);
    let found = sniff(file.fill_buf().map_err(Error::io(path, "read it"))?);
    if let Some(what) = found.filter(|what| *what != "packed with gzip") {
        return Err(Error::content(path.display(), format!("not a .tar.gz: it is {what}"), "download it again"));
    }
    let unpacked = MultiGzDecoder::new(file).take(MAX_UNPACKED);
    let mut archive = tar::Archive::new(unpacked);
    let mut batches: Vec<Batch> = Vec::new();
    for entry in archive.entries().map_err(Error::io(path, "unpack it"))? {
        let entry = entry.map_err(Error::io(path, "unpack it"))?;
        let base = entry.path().ok().and_then(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()));
        let base = base.unwrap_or_default();
        let name = TRAIN.into_iter().chain([TEST]).find(|name| base.strip_suffix(".bin").unwrap_or(&base) == *name);
        if let Some(name) = name.filter(|name| batches.iter().all(|batch| batch.0 != *name)) {
            batches.push((name, content(entry, path, &format!("{}:{base}", path.display()))?));
        }
    }
    // The checksum stands at the very end, behind what a tar needs.
    std::io::copy(&mut archive.into_inner(), &mut std::io::sink()).map_err(Error::io(path, "unpack it to the end"))?;
    batches.sort_by_key(|batch| batch.0);
    Ok(batches)
}

/// The records of a batch, which `label` names in errors.
fn content(file: impl Read, path: &Path, label: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_BATCH).read_to_end(&mut bytes).map_err(Error::io(path, "read it"))?;
    let refuse = |problem: String| Error::content(label, problem, "download it again");
    if !label.ends_with(".bin") {
        return cifar_python::records(&bytes).map_err(refuse);
    }
    if bytes.is_empty() || !bytes.len().is_multiple_of(RECORD) {
        return Err(refuse(format!("it has {} bytes, not a whole number of records of {RECORD}", bytes.len())));
    }
    Ok(bytes)
}

fn set(
    path: &Path,
    batches: &[&Batch],
    name: &str,
    picks: impl Fn(usize) -> Vec<usize>,
    options: &DataOptions,
) -> Result<ImageSet> {
    let records: Vec<&[u8]> = batches.iter().flat_map(|batch| batch.1.chunks_exact(RECORD)).collect();
    let picks = picks(records.len());
    let file = path.display().to_string();
    check_memory(&file, picks.len(), options.size, options.memory_limit)?;
    let (mut pixels, mut classes) = (Vec::new(), Vec::new());
    for pick in picks {
        let (class, planes) = (records[pick][0], &records[pick][1..]);
        if usize::from(class) >= CLASSES.len() {
            let problem = format!("a record has the class {class}, where 9 is the last");
            return Err(Error::content(file, problem, "download it again: this is not CIFAR-10"));
        }
        pixels.extend(resize_planar(planes.to_vec(), EDGE, options.size));
        classes.push(f32::from(class));
    }
    ImageSet::new(name, options.size, pixels, Some(Labels::classes("class", &CLASSES, classes)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{DataSource, Dataset};
    use flate2::{Compression, write::GzEncoder};

    fn load(path: &Path, options: &DataOptions) -> Result<Dataset> {
        DataSource::Path(path.into()).load(options)
    }

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
            std::fs::write(folder.join(format!("{name}.bin")), batch(i as u8)).unwrap();
        }
        std::fs::write(folder.join(format!("{TEST}.bin")), batch(8)).unwrap();
    }

    fn check(data: &Dataset) {
        assert_eq!((data.train.len(), data.test.len(), data.name.as_str()), (10, 2, "cifar10"));
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
            check(&load(path, &DataOptions::default()).unwrap());
        }
        let packed = dir.path().join("cifar-10-binary.tar.gz");
        let gz = GzEncoder::new(File::create(&packed).unwrap(), Compression::fast());
        let mut tar = tar::Builder::new(gz);
        tar.append_dir_all("cifar-10-batches-bin", &folder).unwrap();
        tar.into_inner().unwrap().finish().unwrap();
        check(&load(&packed, &DataOptions::default()).unwrap());
        let bytes = std::fs::read(&packed).unwrap();
        let mut wrong = bytes.clone();
        let checksum = wrong.len() - 8;
        wrong[checksum] ^= 1;
        std::fs::write(&packed, wrong).unwrap();
        let error = load(&packed, &DataOptions::default()).unwrap_err().to_string();
        assert!(error.contains("cifar-10-binary.tar.gz") && error.contains("checksum"), "{error}");
        std::fs::write(&packed, &bytes[..bytes.len() / 2]).unwrap();
        let error = load(&packed, &DataOptions::default()).unwrap_err().to_string();
        assert!(error.contains("cifar-10-binary.tar.gz"), "{error}");
    }

    #[test]
    fn other_sizes_and_limits_are_served() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path());
        let options = DataOptions { size: 16, limit: Some(3), ..DataOptions::default() };
        let data = load(dir.path(), &options).unwrap();
        assert_eq!((data.train.len(), data.train.size, data.test.len()), (3, 16, 2));
        assert_eq!((data.test.image(0)[0], data.test.image(0)[256]), (80, 81));
        assert!(load(dir.path(), &DataOptions { memory_limit: 9, ..options }).is_err());
    }

    #[test]
    fn damaged_batches_are_named() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(locate(dir.path()), None);
        write(dir.path());
        let path = dir.path().join("data_batch_3.bin");
        for bytes in [vec![], vec![1; RECORD - 1], vec![1; RECORD + 1]] {
            std::fs::write(&path, bytes).unwrap();
            let error = load(dir.path(), &DataOptions::default()).unwrap_err().to_string();
            assert!(error.contains("data_batch_3.bin"), "{error}");
        }
        std::fs::write(&path, vec![10; RECORD]).unwrap();
        assert!(load(dir.path(), &DataOptions::default()).unwrap_err().to_string().contains("class 10"));
        std::fs::remove_file(&path).unwrap();
        let error = load(dir.path(), &DataOptions::default()).unwrap_err().to_string();
        assert!(error.contains("data_batch_3 is missing"), "{error}");
    }

    #[test]
    fn the_python_version_is_the_same_set() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("cifar-10-batches-py");
        std::fs::create_dir_all(&folder).unwrap();
        for (name, class) in TRAIN.into_iter().zip(0..).chain([(TEST, 8)]) {
            std::fs::write(folder.join(name), cifar_python::tests::batch(&batch(class))).unwrap();
        }
        for path in [dir.path(), folder.as_path()] {
            check(&load(path, &DataOptions::default()).unwrap());
        }
        std::fs::write(folder.join(TEST), b"\x80\x02N.").unwrap();
        let error = load(dir.path(), &DataOptions::default()).unwrap_err().to_string();
        assert!(error.contains("test_batch: "), "{error}");
    }
}
