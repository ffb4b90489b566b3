//! Writes a set out as files, in the form in which a folder is read back.

use std::path::Path;

use rayon::prelude::*;

use super::images::interleaved;
use super::labels::Labels;
use super::set::ImageSet;
use crate::error::{Error, Result};
use crate::figures::sheet;
use crate::files::{is_used, make_folder, write_whole};
use crate::progress::Progress;

impl ImageSet {
    /// Writes the pictures as `00000.png`, `00001.png`, … into `dir`, which is made or must be
    /// empty, and the labels, if any, as `labels.csv` with the file names first.
    pub fn write_images(&self, dir: &Path) -> Result<()> {
        make_folder(dir)?;
        if is_used(dir)? {
            let advice = "choose an empty or a new folder";
            return Err(Error::content(dir.display(), "the folder is not empty", advice));
        }
        let progress = Progress::new("images written", self.len());
        (0..self.len()).into_par_iter().try_for_each(|i| {
            progress.add(1);
            let path = dir.join(file_name(i));
            let file = path.display().to_string();
            let Some(picture) = interleaved(self.image(i), self.size) else {
                let advice = "this is a bug: please report it";
                return Err(Error::content(file, "the picture has the wrong size", advice));
            };
            sheet::save(&picture, &path)
        })?;
        self.labels().map_or(Ok(()), |labels| write_labels(labels, &dir.join("labels.csv")))
    }
}

fn write_labels(labels: &Labels, path: &Path) -> Result<()> {
    let failed = |source| Error::Csv { path: path.to_path_buf(), source };
    let mut csv = csv::Writer::from_writer(Vec::new());
    let header = ["file"].into_iter().chain(labels.names().iter().map(String::as_str));
    csv.write_record(header).map_err(failed)?;
    for row in 0..labels.len() {
        let values = (0..labels.columns()).map(|column| labels.text(row, column));
        csv.write_record(std::iter::once(file_name(row)).chain(values)).map_err(failed)?;
    }
    let bytes = csv.into_inner().map_err(|e| Error::io(path, "write it")(e.into_error()))?;
    write_whole(path, &bytes)
}

fn file_name(i: usize) -> String {
    format!("{i:05}.png")
}

#[cfg(test)]
mod tests {
    use crate::data::{DataOptions, ImageSet, LabelKind, Labels, collection, generate};
    use shared::msds::{Msds, Part};

    #[test]
    fn what_is_written_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let options = DataOptions::default();
        let set = generate(Msds::Msds2, 32, 12, 1, Part::Train).unwrap();
        set.write_images(&dir.path().join("a")).unwrap();
        let back = collection::whole(&dir.path().join("a"), &set.name, &options).unwrap();
        assert_eq!(back.0, set);
        let kinds = vec![LabelKind::Category(vec!["a,b".into(), "c\"d".into()]), LabelKind::Number];
        let names = vec!["kind".into(), "size".into()];
        let labels = Labels::new(names, kinds, vec![1.0, 0.25, 0.0, f32::NAN]).unwrap();
        let set = ImageSet::new("s", 4, (0..96).collect(), Some(labels)).unwrap();
        set.write_images(&dir.path().join("b")).unwrap();
        let small = DataOptions { size: 4, ..options };
        assert_eq!(collection::whole(&dir.path().join("b"), "s", &small).unwrap().0, set);
        let plain = ImageSet::new("s", 4, vec![7; 48], None).unwrap();
        plain.write_images(&dir.path().join("c")).unwrap();
        assert!(!dir.path().join("c/labels.csv").exists());
    }

    #[test]
    fn nothing_is_mixed_or_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("other"), "x").unwrap();
        let set = ImageSet::new("s", 1, vec![7; 3], None).unwrap();
        let error = set.write_images(dir.path()).unwrap_err().to_string();
        assert!(error.contains("not empty"), "{error}");
        assert!(set.write_images(&dir.path().join("other")).is_err());
    }
}
