//! Local paths in texts that others will read: of each, its last part stays.

use std::path::Path;

/// The names of data sets, several joined by `, then `, without the folders that they lie in.
pub(super) fn of_dataset(text: &str) -> String {
    let name = |set: &str| {
        let is_path = starts_path(set) || (set.contains(SEPARATORS) && Path::new(set).exists());
        if is_path && !last(set).is_empty() { last(set).to_owned() } else { set.to_owned() }
    };
    text.split(", then ").map(name).collect::<Vec<_>>().join(", then ")
}

const SEPARATORS: [char; 2] = ['/', '\\'];

/// A text in which each word that is an absolute path, or one from here or from a home folder, is its last part.
pub(super) fn without_folders(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let begins = match out.chars().next_back() {
            None => true,
            // Not of an address.
            Some(':') => !rest.starts_with("//"),
            Some(before) => before.is_whitespace() || "\"'`(=,;<[|".contains(before),
        };
        let (piece, after) = if begins && starts_path(rest) {
            let end = rest.find(|c: char| c.is_whitespace() || "\"'`),;>]|".contains(c)).unwrap_or(rest.len());
            (last(&rest[..end]), end)
        } else {
            (&rest[..next.len_utf8()], next.len_utf8())
        };
        out.push_str(piece);
        rest = &rest[after..];
    }
    out
}

/// Whether a text begins as a local path does, and goes on.
fn starts_path(text: &str) -> bool {
    let drive = |text: &str| {
        let mut chars = text.chars();
        chars.next().is_some_and(|c| c.is_ascii_alphabetic())
            && chars.next() == Some(':')
            && chars.next().is_some_and(|c| SEPARATORS.contains(&c))
    };
    let roots = ["/", "~/", "./", "../", "\\\\", "~\\", ".\\", "..\\", "file:"];
    let after = roots.iter().find_map(|root| text.strip_prefix(root)).or_else(|| drive(text).then(|| &text[3..]));
    after.is_some_and(|after| after.starts_with(|c: char| !c.is_whitespace()))
}

fn last(path: &str) -> &str {
    path.trim_end_matches(SEPARATORS).rsplit(SEPARATORS).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_path_its_last_part_stays() {
        for (text, kept) in [
            ("/home/me/photos/", "photos"),
            ("trained on /home/me/faces.zip, then on ~/more.zip", "trained on faces.zip, then on more.zip"),
            ("trainer train --data=/data/a.zip --out \"/srv/x y\"", "trainer train --data=a.zip --out \"x y\""),
            ("from C:\\Users\\me\\faces.zip (see ../notes.txt)", "from faces.zip (see notes.txt)"),
            ("\\\\server\\share\\faces and file:///srv/x", "faces and x"),
            ("me:/home/me/LICENCE,CC0", "me:LICENCE,CC0"),
            ("./mine", "mine"),
        ] {
            assert_eq!(without_folders(text), kept);
        }
    }

    #[test]
    fn what_is_no_path_stays() {
        for text in [
            "3.95 bits/dim, see https://example.org/a/b and a / b",
            "CC BY 4.0; MIT/Apache-2.0",
            "20000 steps; AdamW 0.012, weight decay 0.01",
            "Gesichter: ein/zwei … ü/ß",
            "/",
            "",
        ] {
            assert_eq!(without_folders(text), text);
            assert_eq!(of_dataset(text), text);
        }
    }

    #[test]
    fn a_set_is_called_by_its_file_whatever_its_folders_are_called() {
        assert_eq!(of_dataset("/home/me/My Photos/a.zip, then msds1, then ~/b b"), "a.zip, then msds1, then b b");
        let here = format!("{}/src", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(of_dataset(&here), "src");
        // From here, and there.
        assert_eq!(of_dataset("src/commands"), "commands");
        assert_eq!(of_dataset("nowhere/to be found"), "nowhere/to be found");
    }
}
