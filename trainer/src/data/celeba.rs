//! CelebA as its authors give it out: `img_align_celeba.zip` (or the folder unpacked from it) with
//! `list_eval_partition.txt` beside it.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::container::Container;
use crate::error::{Error, Result};

/// What a model card must say.
pub(crate) const LICENCE: &str = "CelebA: for non-commercial research only; its pictures may not be redistributed";

const STEM: &str = "img_align_celeba";

/// The official list has 6 MB.
const MAX_LIST: u64 = 64 << 20;

/// The archive or folder of pictures, where `path` is the folder it lies in, or the one above, where torchvision keeps it
/// as `celeba`; else `path` itself.
pub(crate) fn locate(path: &Path) -> PathBuf {
    let folders = [path.to_path_buf(), path.join("celeba")];
    let mut inside =
        folders.iter().flat_map(|folder| [format!("{STEM}.zip"), STEM.to_string()].map(|name| folder.join(name)));
    inside.find(|file| file.exists()).unwrap_or_else(|| path.to_path_buf())
}

/// Whether these are CelebA's aligned pictures, by the archive's or the folder's name.
pub(crate) fn is_celeba(container: &dyn Container) -> bool {
    container.path().file_stem().is_some_and(|stem| stem == STEM)
        || container.names().iter().all(|name| name.starts_with("img_align_celeba/"))
}

/// The pictures of the official parts 0 (train) and 2 (test), where the list of parts lies among the pictures or beside
/// them. Part 1, for validation, is left out.
pub(crate) fn partition(container: &mut dyn Container) -> Result<Option<(Vec<usize>, Vec<usize>)>> {
    if !is_celeba(container) {
        return Ok(None);
    }
    let Some((list, bytes)) = list(container)? else {
        return Ok(None);
    };
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Err(Error::content(list.display(), "it is not UTF-8 text", "use the list that came with the pictures"));
    };
    let parts: HashMap<&str, &str> = text
        .trim_start_matches('\u{feff}')
        .lines()
        .filter_map(|line| line.trim().split_once(|c: char| c == ',' || c.is_whitespace()))
        .map(|(name, part)| (name, part.trim()))
        .collect();
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (index, name) in container.names().iter().enumerate() {
        let base = name.rsplit('/').next().unwrap_or(name);
        match parts.get(base).copied() {
            Some("0") => train.push(index),
            Some("1") => {}
            Some("2") => test.push(index),
            other => {
                let problem = match other {
                    Some(part) => format!("{base} belongs to part {part}, which does not exist"),
                    None => format!("{base} belongs to no part"),
                };
                let advice = "use the list that came with the pictures, or move it away to hold \
                              out a random part";
                return Err(Error::content(list.display(), problem, advice));
            }
        }
    }
    Ok(Some((train, test)))
}

/// The list of parts: its file and its bytes.
fn list(container: &mut dyn Container) -> Result<Option<(PathBuf, Vec<u8>)>> {
    const LISTS: [&str; 2] = ["list_eval_partition.txt", "list_eval_partition.csv"];
    for list in LISTS {
        if let Some(found) = container.companion(list)? {
            return Ok(Some(found));
        }
    }
    // Beside the pictures, or one folder up: some copies nest the folder in another of its name.
    let folders = container.path().ancestors().skip(1).take(2);
    let mut files = folders.flat_map(|folder| LISTS.map(|list| folder.join(list)));
    let Some(list) = files.find(|list| list.is_file()) else {
        return Ok(None);
    };
    let file = File::open(&list).map_err(Error::io(&list, "open it"))?;
    let mut bytes = Vec::new();
    file.take(MAX_LIST).read_to_end(&mut bytes).map_err(Error::io(&list, "read it"))?;
    Ok(Some((list, bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::{encoded, write_zip};
    use crate::data::{DataOptions, open};
    use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

    /// A face whose middle 148×148 is red and whose rim is blue.
    fn face(red: u8) -> Vec<u8> {
        let picture = RgbImage::from_fn(178, 218, |x, y| {
            let inside = (15..163).contains(&x) && (35..183).contains(&y);
            if inside { Rgb([red, 0, 0]) } else { Rgb([0, 0, 255]) }
        });
        encoded(&DynamicImage::ImageRgb8(picture), ImageFormat::Jpeg)
    }

    fn write(dir: &Path, list: &str) {
        let faces: Vec<(String, Vec<u8>)> =
            (1..=5).map(|i| (format!("img_align_celeba/00000{i}.jpg"), face(i * 40))).collect();
        let entries: Vec<(&str, &[u8])> = faces.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
        write_zip(&dir.join("img_align_celeba.zip"), &entries);
        std::fs::write(dir.join("list_eval_partition.txt"), list).unwrap();
    }

    fn load(path: &Path, options: &DataOptions) -> Result<crate::data::Dataset> {
        crate::data::DataSource::Path(path.into()).load(options)
    }

    const LIST: &str = "000001.jpg 0\n000002.jpg 2\n000003.jpg 1\n000004.jpg 0\n000005.jpg 2\n";

    #[test]
    fn the_official_split_and_crop_are_used() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), LIST);
        for path in [dir.path().to_path_buf(), dir.path().join("img_align_celeba.zip")] {
            let data = load(&path, &DataOptions { size: 8, ..DataOptions::default() }).unwrap();
            assert_eq!((data.train.len(), data.test.len()), (2, 2));
            assert_eq!((data.name.as_str(), data.licence.as_deref()), (STEM, Some(LICENCE)));
            let reds = [data.train.image(0), data.train.image(1), data.test.image(0), data.test.image(1)];
            for (image, red) in reds.iter().zip([40u8, 160, 80, 200]) {
                let middle = 3 * 8 + 3;
                assert!(image[middle].abs_diff(red) < 6, "{} {red}", image[middle]);
                assert!(image[128..].iter().all(|&blue| blue < 30), "the rim is cut off");
            }
        }
    }

    #[test]
    fn the_crop_is_the_same_at_every_size() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), LIST);
        for size in [16, 64, 128] {
            let data = load(dir.path(), &DataOptions { size, ..DataOptions::default() }).unwrap();
            let image = data.train.image(1);
            // Without what lies within a sixteenth of the edge, where JPEG mixes the rim's colour in.
            let inner = (0..size * size)
                .filter(|i| [i / size, i % size].iter().all(|at| (size / 16..size - size / 16).contains(at)));
            assert!(inner.clone().all(|i| image[i].abs_diff(160) < 8 && image[2 * size * size + i] < 30), "{size}");
            // And the crop goes out to the rim: nothing more is cut off.
            assert!(image[0].abs_diff(160) < 60, "{size}");
        }
    }

    #[test]
    fn the_list_inside_an_archive_is_used() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("archive.zip");
        let csv = format!("\u{feff}{}", LIST.replace(' ', ","));
        let faces: Vec<(String, Vec<u8>)> =
            (1..=5).map(|i| (format!("img_align_celeba/img_align_celeba/00000{i}.jpg"), face(i * 40))).collect();
        let mut entries: Vec<(&str, &[u8])> = faces.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
        entries.push(("list_eval_partition.csv", csv.as_bytes()));
        entries.push(("list_attr_celeba.csv", b"image_id,Smiling\n"));
        write_zip(&path, &entries);
        let data = load(&path, &DataOptions { size: 8, ..DataOptions::default() }).unwrap();
        assert_eq!((data.train.len(), data.test.len()), (2, 2));
        assert!(data.train.image(0)[27].abs_diff(40) < 6 && data.test.image(1)[27].abs_diff(200) < 6);
        assert_eq!(data.licence.as_deref(), Some(LICENCE));
    }

    #[test]
    fn without_a_list_a_part_is_held_out() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), LIST);
        std::fs::remove_file(dir.path().join("list_eval_partition.txt")).unwrap();
        let data = load(dir.path(), &DataOptions { size: 8, ..DataOptions::default() }).unwrap();
        assert_eq!((data.train.len(), data.test.len()), (3, 2));
    }

    #[test]
    fn a_list_that_does_not_fit_is_named() {
        let dir = tempfile::tempdir().unwrap();
        for (list, problem) in [("000001.jpg 0\n", "000002.jpg belongs to no part"), ("000001.jpg 7\n", "part 7")] {
            write(dir.path(), list);
            let mut container = open::open(&locate(dir.path())).unwrap();
            assert!(is_celeba(&*container));
            let error = partition(&mut *container).unwrap_err().to_string();
            assert!(error.contains("list_eval_partition.txt") && error.contains(problem), "{error}");
        }
        let csv = LIST.replace(' ', ",");
        std::fs::remove_file(dir.path().join("list_eval_partition.txt")).unwrap();
        let csv = format!("image_id,partition\n{csv}");
        std::fs::write(dir.path().join("list_eval_partition.csv"), csv).unwrap();
        let mut container = open::open(&locate(dir.path())).unwrap();
        assert_eq!(partition(&mut *container).unwrap(), Some((vec![0, 3], vec![1, 4])));
    }
}
