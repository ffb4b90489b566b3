//! Folders of pictures by the names of their folders: which are to train on, which to test on.

use std::collections::BTreeSet;

const TRAIN: [&str; 2] = ["train", "training"];
/// The first one found is the test part.
const TEST: [&str; 6] = ["test", "testing", "val", "valid", "validation", "eval"];

/// Folders for training and testing, by their paths with `/`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    /// Where pictures to train on are.
    pub(crate) train: String,
    /// Where pictures to test on are.
    pub(crate) test: String,
    /// What lies beside the two, and is left out.
    pub(crate) beside: Vec<String>,
}

/// Finds the parts among the pictures' names, at the top or in a folder that holds everything.
pub(crate) fn find(names: &[String]) -> Option<Parts> {
    let mut above = String::new();
    loop {
        let tops: BTreeSet<&str> =
            names.iter().filter_map(|name| name.strip_prefix(&above)?.split('/').next()).collect();
        let folders: Vec<&str> = names
            .iter()
            .filter_map(|name| Some(name.strip_prefix(&above)?.split_once('/')?.0))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let named = |words: &[&str]| {
            let is = |word: &&str| folders.iter().copied().find(|folder| folder.eq_ignore_ascii_case(word));
            words.iter().find_map(is)
        };
        if let (Some(train), Some(test)) = (named(&TRAIN), named(&TEST)) {
            let beside = tops.iter().filter(|top| ![train, test].contains(top)).map(ToString::to_string).collect();
            return Some(Parts { train: format!("{above}{train}"), test: format!("{above}{test}"), beside });
        }
        match folders[..] {
            [only] if tops.len() == 1 => above += &format!("{only}/"),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(names: &[&str]) -> Option<(String, String, Vec<String>)> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        find(&names).map(|parts| (parts.train, parts.test, parts.beside))
    }

    #[test]
    fn parts_are_found_by_any_of_their_names() {
        for test in ["test", "val", "valid", "Validation", "TEST"] {
            let found = parts(&["train/cats/0.png", "train/dogs/0.png", &format!("{test}/cats/0.png")]);
            assert_eq!(found, Some(("train".into(), test.into(), vec![])));
        }
        let inside = parts(&["set/v1/Train/0.png", "set/v1/val/0.png", "set/v1/val/1.png"]);
        assert_eq!(inside, Some(("set/v1/Train".into(), "set/v1/val".into(), vec![])));
        let three = parts(&["train/0.png", "val/0.png", "test/0.png", "cover.png"]);
        assert_eq!(three, Some(("train".into(), "test".into(), vec!["cover.png".into(), "val".into()])));
    }

    #[test]
    fn other_folders_are_no_parts() {
        for names in [&["cats/0.png", "dogs/0.png"][..], &["train/0.png"], &["val/0.png"], &["train.png", "test.png"]] {
            assert_eq!(parts(names), None, "{names:?}");
        }
        assert_eq!(parts(&["train/0.png", "cats/val/0.png"]), None);
        assert_eq!(parts(&[]), None);
    }
}
