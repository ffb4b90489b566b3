//! MNIST and its kin (Fashion-MNIST, KMNIST) in idx files, packed with gzip or not.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::images::{check_memory, resize_planar};
use super::labels::Labels;
use super::options::{DataOptions, Loaded, Wanted};
use super::set::ImageSet;
use super::sniff::sniff;
use super::split::{choose, first};
use crate::error::{Error, Result};

/// Edge of a digit, and of a digit with its black border.
const EDGE: usize = 28;
const PADDED: usize = 32;
/// More pictures than any set of this kind has.
const MOST: usize = 1_000_000;

/// The folder of idx files at `path`, also where torchvision keeps it: `MNIST/raw` and its like.
pub(crate) fn locate(path: &Path) -> Result<Option<PathBuf>> {
    let is_here = |folder: &Path| find(folder, "train-images", 3).is_some() || find(folder, "t10k-images", 3).is_some();
    let near = [path.to_path_buf(), path.join("raw")];
    if let Some(folder) = near.into_iter().find(|folder| is_here(folder)) {
        return Ok(Some(folder));
    }
    let sets = ["MNIST", "FashionMNIST", "KMNIST"].map(|set| path.join(set).join("raw"));
    let found: Vec<PathBuf> = sets.into_iter().filter(|folder| is_here(folder)).collect();
    if let [one, other, ..] = found.as_slice() {
        let problem = format!("it holds several sets: {} and {}", one.display(), other.display());
        return Err(Error::content(path.display(), problem, "give one of these folders"));
    }
    Ok(found.into_iter().next())
}

/// Loads the four files: pictures get a black border of 2 pixels and three equal channels.
pub(crate) fn load(folder: &Path, options: &DataOptions, wanted: Wanted) -> Result<Loaded> {
    let all = |count: usize| (0..count).collect::<Vec<_>>();
    let train = match wanted {
        Wanted::Both => {
            let picks = |count| choose(all(count), options.limit, options.seed);
            Some(set(folder, "train", "mnist-train", picks, options)?)
        }
        Wanted::Test => None,
    };
    let test = set(folder, "t10k", "mnist-test", |count| first(all(count), options.test_limit), options)?;
    let (n, m) = (train.as_ref().map_or(0, ImageSet::len), test.len());
    let description = format!("{n} grey pictures to train on and {m} to test on, in MNIST's format");
    // Mirrored digits and letters are others, or none.
    Ok(Loaded { name: "mnist".into(), train, test, licence: None, description, notes: vec![], mirrors: false })
}

fn set(
    folder: &Path,
    part: &str,
    name: &str,
    picks: impl Fn(usize) -> Vec<usize>,
    options: &DataOptions,
) -> Result<ImageSet> {
    let (images_path, digits) = read(folder, &format!("{part}-images"), &[EDGE, EDGE])?;
    let (labels_path, classes) = read(folder, &format!("{part}-labels"), &[])?;
    let count = digits.len() / (EDGE * EDGE);
    if count != classes.len() {
        let problem = format!("{} labels for {count} pictures", classes.len());
        return Err(Error::content(labels_path.display(), problem, "download both files again"));
    }
    let picks = picks(count);
    let file = images_path.display().to_string();
    check_memory(&file, picks.len(), options.size, options.memory_limit)?;
    let mut pixels = Vec::new();
    for &pick in &picks {
        let digit = &digits[pick * EDGE * EDGE..(pick + 1) * EDGE * EDGE];
        pixels.extend(resize_planar(padded(digit).repeat(3), PADDED, options.size));
    }
    let values = picks.iter().map(|&pick| f32::from(classes[pick])).collect();
    let labels = Labels::numbers(&["class"], values)?;
    ImageSet::new(name, options.size, pixels, Some(labels))
}

fn padded(digit: &[u8]) -> Vec<u8> {
    let border = (PADDED - EDGE) / 2;
    let mut plane = vec![0; PADDED * PADDED];
    for (row, line) in digit.chunks_exact(EDGE).enumerate() {
        let start = (row + border) * PADDED + border;
        plane[start..start + EDGE].copy_from_slice(line);
    }
    plane
}

/// The file of `part`, by any of the names it is given out under.
fn find(folder: &Path, part: &str, dimensions: usize) -> Option<PathBuf> {
    let names = ["-", "."].map(|joint| format!("{part}{joint}idx{dimensions}-ubyte"));
    let names = names.into_iter().flat_map(|name| [name.clone(), format!("{name}.gz")]);
    names.map(|name| folder.join(name)).find(|path| path.is_file())
}

/// Reads an idx file of bytes whose entries have the given shape.
fn read(folder: &Path, part: &str, shape: &[usize]) -> Result<(PathBuf, Vec<u8>)> {
    let dimensions = shape.len() + 1;
    let Some(path) = find(folder, part, dimensions) else {
        let problem = format!("{part}-idx{dimensions}-ubyte is missing, both with and without .gz");
        let advice = "give a folder with all four MNIST files";
        return Err(Error::content(folder.display(), problem, advice));
    };
    let wrong = |problem: String| Error::content(path.display(), problem, "download it again");
    let file = File::open(&path).map_err(Error::io(&path, "open it"))?;
    let mut file = BufReader::new(file);
    // By what is in it: browsers unpack files and leave their names, and servers send pages.
    let found = sniff(file.fill_buf().map_err(Error::io(&path, "read it"))?);
    let mut file: Box<dyn Read> = match found {
        Some("packed with gzip") => Box::new(MultiGzDecoder::new(file)),
        Some(what) => return Err(wrong(format!("not an idx file: it is {what}"))),
        None => Box::new(file),
    };
    let mut header = vec![0; 4 + 4 * dimensions];
    file.read_exact(&mut header).map_err(Error::io(&path, "read its header"))?;
    // Two zeros, 8 for unsigned bytes, the number of dimensions, then the dimensions.
    let (magic, sizes) = header.split_at(4);
    if magic != [0, 0, 8, dimensions as u8] {
        return Err(wrong(format!("not an idx file of bytes in {dimensions} dimensions")));
    }
    let sizes: Vec<usize> =
        sizes.chunks_exact(4).map(|size| size.iter().fold(0, |value, &byte| value << 8 | usize::from(byte))).collect();
    let (count, rest) = (sizes[0], &sizes[1..]);
    if rest != shape || count == 0 || count > MOST {
        return Err(wrong(format!("it holds {sizes:?} numbers, not 1 to {MOST} times {shape:?}")));
    }
    let expected = count * shape.iter().product::<usize>();
    let mut bytes = Vec::new();
    let read = file.take(expected as u64 + 1).read_to_end(&mut bytes);
    read.map_err(Error::io(&path, "read it to the end"))?;
    if bytes.len() != expected {
        let found = if bytes.len() > expected { "more".into() } else { bytes.len().to_string() };
        return Err(wrong(format!("it should have {expected} bytes and has {found}")));
    }
    Ok((path, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{DataSource, Dataset};
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn load(folder: &Path, options: &DataOptions) -> Result<Dataset> {
        DataSource::Path(folder.into()).load(options)
    }

    fn idx(shape: &[u32], bytes: &[u8]) -> Vec<u8> {
        let mut file = vec![0, 0, 8, shape.len() as u8];
        file.extend(shape.iter().flat_map(|size| size.to_be_bytes()));
        file.extend(bytes);
        file
    }

    /// Picture `i` is filled with `i + 1`, and one corner pixel is 200.
    fn digits(count: u32) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..count).flat_map(|i| [i as u8 + 1; EDGE * EDGE]).collect();
        bytes[0] = 200;
        idx(&[count, 28, 28], &bytes)
    }

    fn write(folder: &Path, name: &str, bytes: &[u8]) {
        if name.ends_with(".gz") {
            let file = File::create(folder.join(name)).unwrap();
            let mut gz = GzEncoder::new(file, Compression::fast());
            gz.write_all(bytes).unwrap();
            gz.finish().unwrap();
        } else {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
    }

    fn write_all(folder: &Path, ending: &str) {
        write(folder, &format!("train-images-idx3-ubyte{ending}"), &digits(4));
        write(folder, &format!("train-labels-idx1-ubyte{ending}"), &idx(&[4], &[5, 6, 7, 8]));
        write(folder, &format!("t10k-images-idx3-ubyte{ending}"), &digits(2));
        write(folder, &format!("t10k-labels-idx1-ubyte{ending}"), &idx(&[2], &[1, 0]));
    }

    #[test]
    fn digits_are_padded_and_grey() {
        for ending in ["", ".gz"] {
            let dir = tempfile::tempdir().unwrap();
            assert_eq!(locate(dir.path()).unwrap(), None);
            write_all(dir.path(), ending);
            assert_eq!(locate(dir.path()).unwrap().as_deref(), Some(dir.path()));
            let data = load(dir.path(), &DataOptions::default()).unwrap();
            assert!(!data.mirrors);
            assert_eq!((data.train.len(), data.test.len(), data.train.size), (4, 2, 32));
            assert_eq!(data.train.labels().unwrap().column("class"), Some(vec![5.0, 6.0, 7.0, 8.0]));
            let image = data.train.image(0);
            for plane in image.chunks_exact(1024) {
                assert_eq!((plane[2 * 32 + 2], plane[2 * 32 + 3], plane[29 * 32 + 29]), (200, 1, 1));
                assert_eq!(plane.iter().filter(|&&c| c == 0).count(), 1024 - 784);
                assert!(plane[..64].iter().chain(&plane[30 * 32..]).all(|&c| c == 0));
            }
            let small = DataOptions { size: 16, limit: Some(2), ..DataOptions::default() };
            let data = load(dir.path(), &small).unwrap();
            assert_eq!((data.train.len(), data.train.size), (2, 16));
        }
    }

    #[test]
    fn damaged_files_are_named() {
        let name = "train-images-idx3-ubyte";
        let whole = digits(4);
        let cases: [Vec<u8>; 8] = [
            vec![],
            whole[..10].to_vec(),
            whole[..whole.len() - 1].to_vec(),
            [whole.clone(), vec![0]].concat(),
            idx(&[4, 27, 28], &[0; 4 * 27 * 28]),
            idx(&[u32::MAX, 28, 28], &[0; 100]),
            idx(&[0, 28, 28], &[]),
            idx(&[4], &[0; 3000]),
        ];
        for ending in ["", ".gz"] {
            for bytes in &cases {
                let dir = tempfile::tempdir().unwrap();
                write_all(dir.path(), ending);
                write(dir.path(), &format!("{name}{ending}"), bytes);
                let error = load(dir.path(), &DataOptions::default()).unwrap_err().to_string();
                assert!(error.contains(name), "{error}");
            }
        }
    }

    #[test]
    fn missing_and_mismatched_labels_are_named() {
        let dir = tempfile::tempdir().unwrap();
        write_all(dir.path(), "");
        write(dir.path(), "t10k-labels-idx1-ubyte", &idx(&[3], &[1, 2, 3]));
        let error = load(dir.path(), &DataOptions::default()).unwrap_err().to_string();
        assert!(error.contains("t10k-labels") && error.contains("3 labels for 2"), "{error}");
        std::fs::remove_file(dir.path().join("t10k-labels-idx1-ubyte")).unwrap();
        let error = load(dir.path(), &DataOptions::default()).unwrap_err().to_string();
        assert!(error.contains("t10k-labels-idx1-ubyte is missing"), "{error}");
    }

    #[test]
    fn the_folders_that_torchvision_makes_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let raw = dir.path().join("MNIST/raw");
        std::fs::create_dir_all(&raw).unwrap();
        write_all(&raw, "");
        write_all(&raw, ".gz");
        for path in [dir.path(), &dir.path().join("MNIST"), &raw] {
            assert_eq!(load(path, &DataOptions::default()).unwrap().train.len(), 4, "{}", path.display());
        }
        let fashion = dir.path().join("FashionMNIST/raw");
        std::fs::create_dir_all(&fashion).unwrap();
        write_all(&fashion, "");
        let error = load(dir.path(), &DataOptions::default()).unwrap_err().to_string();
        assert!(error.contains("FashionMNIST") && error.contains("give one of these"), "{error}");
        let few = DataOptions { test_limit: Some(1), ..DataOptions::default() };
        let test = DataSource::Path(fashion).load_test(&few).unwrap();
        assert_eq!((test.images.len(), test.images.image(0)[2 * 32 + 2]), (1, 200));
    }

    #[test]
    fn the_name_says_nothing_of_what_is_inside() {
        let dir = tempfile::tempdir().unwrap();
        write_all(dir.path(), "");
        let page = b"<!DOCTYPE html><html><body>403</body></html>";
        write(dir.path(), "t10k-images-idx3-ubyte", page);
        let error = load(dir.path(), &DataOptions::default()).unwrap_err().to_string();
        assert!(error.contains("t10k-images-idx3-ubyte: not an idx file: it is a web page"), "{error}");
        std::fs::remove_file(dir.path().join("t10k-images-idx3-ubyte")).unwrap();
        // Unpacked under the packed name.
        std::fs::write(dir.path().join("t10k-images-idx3-ubyte.gz"), digits(2)).unwrap();
        assert_eq!(load(dir.path(), &DataOptions::default()).unwrap().test.len(), 2);
    }

    #[test]
    fn a_wrong_checksum_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        write_all(dir.path(), ".gz");
        let path = dir.path().join("train-images-idx3-ubyte.gz");
        let mut bytes = std::fs::read(&path).unwrap();
        let checksum = bytes.len() - 8;
        bytes[checksum] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let error = load(dir.path(), &DataOptions::default()).unwrap_err().to_string();
        assert!(error.contains("train-images-idx3-ubyte.gz") && error.contains("checksum"), "{error}");
    }
}
