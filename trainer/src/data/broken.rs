//! Pictures that cannot be read, all named in one message.

use crate::error::{Error, Result};

/// So many are named; of more there is a count.
const NAMED: usize = 100;

/// The broken pictures of a set.
#[derive(Default)]
pub(crate) struct Broken {
    reasons: Vec<String>,
    count: usize,
    looked_at: usize,
}

impl Broken {
    /// Counts one.
    pub(crate) fn add(&mut self, error: &Error) {
        self.count += 1;
        if self.reasons.len() < NAMED {
            self.reasons.push(error.to_string());
        }
    }

    /// Whether there are so many that looking for more tells nothing new.
    pub(crate) fn is_full(&self) -> bool {
        self.count >= 10 * NAMED
    }

    /// Counts pictures that were looked at.
    pub(crate) fn looked_at(&mut self, count: usize) {
        self.looked_at += count;
    }

    /// An error that names them, if there are any.
    pub(crate) fn refuse(&self) -> Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        Err(Error::Broken { count: self.count, of: self.looked_at, list: self.list() })
    }

    /// What to say of them where they were left out.
    pub(crate) fn note(&self) -> Option<String> {
        let count = self.count;
        (count > 0).then(|| {
            format!("{count} of {} pictures could not be read and were skipped:{}", self.looked_at, self.list())
        })
    }

    fn list(&self) -> String {
        let mut list: String = self.reasons.iter().map(|reason| format!("\n  {reason}")).collect();
        if self.count > self.reasons.len() {
            list += &format!("\n  and {} more", self.count - self.reasons.len());
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_named_and_thousands_are_counted() {
        let mut broken = Broken::default();
        assert!(broken.refuse().is_ok() && broken.note().is_none());
        for i in 0..3 {
            broken.add(&Error::content(format!("{i}.png"), "it is empty", "remove it"));
        }
        broken.looked_at(45);
        let error = broken.refuse().unwrap_err().to_string();
        assert!(error.starts_with("3 of 45 pictures cannot be read") && error.contains("--skip-broken"), "{error}");
        assert!((0..3).all(|i| error.contains(&format!("\n  {i}.png: it is empty"))), "{error}");
        for i in 0..2000 {
            broken.add(&Error::content(format!("b{i}.png"), "it is empty", "remove it"));
        }
        let note = broken.note().unwrap();
        assert!(note.ends_with("and 1903 more") && broken.is_full(), "{note}");
    }
}
