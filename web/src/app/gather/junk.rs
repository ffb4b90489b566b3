//! What systems put into folders for themselves.

/// Whether a file or folder of this name is nobody's picture, and not worth a word.
pub fn is_junk(name: &str) -> bool {
    name.starts_with('.') || ["__MACOSX", "Thumbs.db", "desktop.ini"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_own_files_are_passed_over() {
        assert!([".DS_Store", "._IMG_1.jpg", "Thumbs.db", "__MACOSX"].into_iter().all(is_junk));
        assert!(!["IMG_1.jpg", "photos", ""].into_iter().any(is_junk));
    }
}
