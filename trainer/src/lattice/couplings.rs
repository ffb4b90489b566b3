//! The theories, by their names on the command line.

use std::fmt;
use std::str::FromStr;

use super::{Ising, Phi4, Theory};
use crate::error::{Error, Result};

/// A theory and its couplings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Couplings {
    /// φ⁴ theory.
    Phi4(Phi4),
    /// The Ising model.
    Ising(Ising),
}

impl Couplings {
    /// Whether a text is the name of a theory, with or without couplings, rather than that of a file.
    pub fn are_named(text: &str) -> bool {
        matches!(text.split(':').next(), Some("phi4" | "ising"))
    }

    /// What the couplings are those of.
    pub fn theory(&self) -> &dyn Theory {
        match self {
            Self::Phi4(phi4) => phi4,
            Self::Ising(ising) => ising,
        }
    }

    /// In words.
    pub fn described(&self) -> String {
        match self {
            Self::Phi4(Phi4 { beta, lambda }) => format!("phi4 with beta {beta} and lambda {lambda}"),
            Self::Ising(Ising { beta }) => {
                format!("Ising spins at beta {beta}, each a normal number of its sign,")
            }
        }
    }
}

impl FromStr for Couplings {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.starts_with("ising") {
            true => text.parse().map(Self::Ising),
            false => text.parse().map(Self::Phi4),
        }
    }
}

impl fmt::Display for Couplings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phi4(phi4) => phi4.fmt(f),
            Self::Ising(ising) => ising.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_their_theory_and_come_back() {
        for text in ["phi4", "phi4:beta=0.5,lambda=2", "ising", "ising:beta=0.3"] {
            let couplings: Couplings = text.parse().unwrap();
            assert!(Couplings::are_named(text) && couplings.to_string() == text, "{couplings}");
        }
        assert!(["isings", "phi44", "./ising", "faces.zip"].iter().all(|text| !Couplings::are_named(text)));
        assert!("potts".parse::<Couplings>().is_err() && "isings".parse::<Couplings>().is_err());
    }
}
