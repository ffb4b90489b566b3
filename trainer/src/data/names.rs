//! What sets are called after their files.

use std::path::{Path, PathBuf};

/// `X-test.zip` (else `X-val.zip` and the like) for `X-train.zip`, likewise for folders, where it exists.
pub(crate) fn test_beside(path: &Path) -> Option<PathBuf> {
    let base = stem(path).strip_suffix("-train")?.to_string();
    let ending = if path.is_dir() { String::new() } else { format!(".{}", path.extension()?.to_string_lossy()) };
    let named = |part| path.with_file_name(format!("{base}-{part}{ending}"));
    ["test", "val", "valid", "validation"].into_iter().map(named).find(|test| test.exists())
}

/// The set's name: the file's, without its ending and without `-train`.
pub(crate) fn name_of(path: &Path) -> String {
    let stem = stem(path);
    stem.strip_suffix("-train").unwrap_or(&stem).to_string()
}

/// The file's name without its ending; a folder's whole name.
pub(crate) fn stem(path: &Path) -> String {
    let name = file_name(path);
    match name.rsplit_once('.') {
        Some((stem, _)) if !path.is_dir() => stem.to_string(),
        _ => name,
    }
}

/// The last part of a path, also of `.` and `..`.
pub(crate) fn file_name(path: &Path) -> String {
    let whole = if path.file_name().is_some() { path.to_path_buf() } else { real(path) };
    whole.file_name().map_or_else(|| "pictures".into(), |name| name.to_string_lossy().into_owned())
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_leave_out_endings_and_parts() {
        assert_eq!(name_of(Path::new("a/x-train.zip")), "x");
        assert_eq!(name_of(Path::new("a/x.zip")), "x");
        assert_eq!(stem(Path::new("a/x.y.zip")), "x.y");
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("v1.5-train");
        std::fs::create_dir(&folder).unwrap();
        assert_eq!((stem(&folder), name_of(&folder)), ("v1.5-train".into(), "v1.5".into()));
        assert_eq!(file_name(&folder.join("..")), file_name(dir.path()));
        assert_eq!(file_name(Path::new("/")), "pictures");
    }

    #[test]
    fn the_test_part_is_beside() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        assert_eq!(test_beside(&at("x-train.zip")), None);
        std::fs::write(at("x-val.zip"), "").unwrap();
        assert_eq!(test_beside(&at("x-train.zip")), Some(at("x-val.zip")));
        std::fs::write(at("x-test.zip"), "").unwrap();
        assert_eq!(test_beside(&at("x-train.zip")), Some(at("x-test.zip")));
        assert_eq!(test_beside(&at("x.zip")), None);
        std::fs::create_dir(at("y-train")).unwrap();
        std::fs::create_dir(at("y-test")).unwrap();
        assert_eq!(test_beside(&at("y-train")), Some(at("y-test")));
    }
}
