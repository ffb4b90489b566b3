//! Files among the pictures that cannot be used: how many of which kind.

use std::collections::BTreeMap;

/// Counts by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skipped(BTreeMap<String, usize>);

/// Kinds of pictures that no decoder here reads.
const PICTURES: [&str; 6] = ["AVIF", "HEIC", "JPEG 2000", "JPEG XL", "Photoshop", "camera raw"];
/// Tables that are read beside the pictures.
const TABLES: [&str; 3] = ["labels.csv", "metadata.csv", "metadata.jsonl"];

impl Skipped {
    /// Counts a file by its name; lists and labels that are read in their own right do not count.
    pub(crate) fn add(&mut self, name: &str) {
        let base = name.rsplit('/').next().unwrap_or(name);
        if !TABLES.contains(&base) && !base.starts_with("list_eval_partition.") {
            self.add_kind(kind(name, base));
        }
    }

    /// Counts something of a kind.
    pub(crate) fn add_kind(&mut self, kind: String) {
        *self.0.entry(kind).or_default() += 1;
    }

    /// Counts what another has counted.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (kind, count) in &other.0 {
            *self.0.entry(kind.clone()).or_default() += count;
        }
    }

    /// How many files.
    pub(crate) fn count(&self) -> usize {
        self.0.values().sum()
    }

    /// The kinds, the most frequent first: `60 HEIC, 5 TIFF, 2 system files`.
    pub(crate) fn kinds(&self) -> String {
        let mut kinds: Vec<_> = self.0.iter().collect();
        kinds.sort_by_key(|&(kind, &count)| (std::cmp::Reverse(count), kind));
        kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ")
    }

    /// A sentence for the user, if anything was skipped.
    pub(crate) fn note(&self) -> Option<String> {
        (self.count() > 0).then(|| format!("{} files were skipped: {}{}", self.count(), self.kinds(), self.advice()))
    }

    /// How the skipped pictures can be used, if there are any.
    pub(crate) fn advice(&self) -> &'static str {
        let pictures = self.0.keys().any(|kind| PICTURES.contains(&kind.as_str()));
        let advice = "; to use such pictures, save them as PNG or JPEG, for instance with ImageMagick: \
                      magick mogrify -format png *.heic";
        if pictures { advice } else { "" }
    }
}

fn kind(name: &str, base: &str) -> String {
    let system = ["thumbs.db", "ehthumbs.db", "desktop.ini"].contains(&base.to_ascii_lowercase().as_str());
    if system || name.split('/').any(|part| part.starts_with('.') || part == "__MACOSX") {
        return "system files".into();
    }
    let Some((_, ending)) = base.rsplit_once('.') else {
        return "without an ending".into();
    };
    let ending = ending.to_ascii_lowercase();
    match ending.as_str() {
        "heic" | "heif" | "hif" => "HEIC".into(),
        "avif" => "AVIF".into(),
        "jxl" => "JPEG XL".into(),
        "jp2" | "j2k" | "jpx" => "JPEG 2000".into(),
        "psd" | "psb" => "Photoshop".into(),
        "arw" | "cr2" | "cr3" | "dng" | "nef" | "orf" | "raf" | "rw2" => "camera raw".into(),
        "avi" | "m4v" | "mkv" | "mov" | "mp4" | "webm" => "videos".into(),
        _ => format!(".{ending}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_counted_by_kind() {
        let mut skipped = Skipped::default();
        assert_eq!(skipped.note(), None);
        for name in ["a.HEIC", "b/c.heif", "x.avif", ".DS_Store", "d/Thumbs.db", "__MACOSX/._a.png"] {
            skipped.add(name);
        }
        for table in ["labels.csv", "train/metadata.jsonl", "metadata.csv"] {
            skipped.add(table);
        }
        assert_eq!(skipped.count(), 6);
        assert_eq!(
            skipped.note().unwrap(),
            "6 files were skipped: 3 system files, 2 HEIC, 1 AVIF; to use such pictures, save them as PNG or JPEG, \
             for instance with ImageMagick: magick mogrify -format png *.heic"
        );
        let mut texts = Skipped::default();
        texts.add("notes.txt");
        texts.add("README");
        assert_eq!(texts.note().unwrap(), "2 files were skipped: 1 .txt, 1 without an ending");
        texts.merge(&skipped);
        assert_eq!(texts.count(), 8);
    }
}
