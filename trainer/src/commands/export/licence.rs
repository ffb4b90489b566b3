//! Licences by the names that the Hugging Face Hub has for them.

/// The Hub's identifiers that a card's text may name.
const KNOWN: [&str; 20] = [
    "afl-3.0",
    "agpl-3.0",
    "apache-2.0",
    "bsd-2-clause",
    "bsd-3-clause",
    "cc-by-2.0",
    "cc-by-3.0",
    "cc-by-4.0",
    "cc-by-nc-2.0",
    "cc-by-nc-3.0",
    "cc-by-nc-4.0",
    "cc-by-nc-nd-4.0",
    "cc-by-nc-sa-4.0",
    "cc-by-nd-4.0",
    "cc-by-sa-3.0",
    "cc-by-sa-4.0",
    "cc0-1.0",
    "gpl-3.0",
    "mit",
    "unlicense",
];

/// The one licence that a text names, if it names one that the Hub knows, and nothing that narrows it.
pub(super) fn identifier(text: &str) -> Option<&'static str> {
    let words = words(text);
    let named = |name: &&&str| format!("-{words}-").contains(&format!("-{name}-"));
    let mut found: Vec<&str> = KNOWN.iter().filter(named).copied().collect();
    if found.is_empty() && format!("-{words}-").contains("-cc0-") {
        found.push("cc0-1.0");
    }
    let narrowed = words.contains("commercial") && !found.iter().all(|name| name.contains("-nc"));
    match found[..] {
        [one] if !narrowed => Some(one),
        _ => None,
    }
}

/// In lower case, with one hyphen for all that is between words; a dot stays within a number.
fn words(text: &str) -> String {
    let text = text.to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '.').map(|word| word.trim_matches('.'));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_licence_is_found_in_the_words_of_a_card() {
        for (text, found) in [
            ("FairFace (Karkkainen & Joo, WACV 2021), CC BY 4.0, cropped and resized to 32x32", Some("cc-by-4.0")),
            ("Images made with facesjs 5.0.3 (Apache-2.0); no real person", Some("apache-2.0")),
            ("Nouns artwork, CC0", Some("cc0-1.0")),
            ("CC0 1.0.", Some("cc0-1.0")),
            ("MIT", Some("mit")),
            ("CC-BY-NC-SA 4.0, non-commercial", Some("cc-by-nc-sa-4.0")),
            ("MIT or Apache-2.0", None),
            ("MIT for the code; the data for non-commercial research only", None),
            ("CelebA: for non-commercial research only; its pictures may not be redistributed", None),
            ("permit", None),
            ("CC BY 4.01", None),
            ("", None),
        ] {
            assert_eq!(identifier(text), found, "{text}");
        }
    }
}
