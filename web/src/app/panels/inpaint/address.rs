//! The inpaint panel's part of the address.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::address::{GOOD_SEED, MAX_EDGE, Pick, Verdict, parse_flag, parse_seed, set};
use crate::app::panels::PanelSettings;

/// Completions to choose from, besides the most likely one.
pub const SAMPLES: usize = 4;

/// What an address says of a picture whose holes were all taken away: without a word it opens with one.
const BARE: &str = "none";

/// Which pixels of a square picture are unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mask {
    edge: usize,
    unknown: Vec<bool>,
}

impl Mask {
    /// All pixels are known.
    pub fn new(edge: usize) -> Self {
        Self { edge, unknown: vec![false; edge * edge] }
    }

    /// Its edge; 0 where nobody has painted yet.
    pub fn edge(&self) -> usize {
        self.edge
    }

    /// How many pixels are unknown.
    pub fn count(&self) -> usize {
        self.unknown.iter().filter(|&&unknown| unknown).count()
    }

    /// Whether holes were painted, and all taken away again.
    pub fn is_bare(&self) -> bool {
        self.edge > 0 && self.count() == 0
    }

    /// Whether there is something to fill in, and something to go by.
    pub fn is_mendable(&self) -> bool {
        (1..self.unknown.len()).contains(&self.count())
    }

    /// The same hole in pictures of another edge: a pixel is unknown if any that it covers is.
    pub fn scaled(&self, edge: usize) -> Self {
        let mut scaled = Self::new(edge);
        let over = |i: usize| i * edge / self.edge..((i + 1) * edge).div_ceil(self.edge);
        for (row, col) in self.places() {
            over(row).for_each(|r| over(col).for_each(|c| scaled.set(r, c, true)));
        }
        scaled
    }

    /// The unknown pixels, as rows and columns.
    pub fn places(&self) -> Vec<(usize, usize)> {
        let unknown = self.unknown.iter().enumerate().filter(|&(_, &unknown)| unknown);
        unknown.map(|(i, _)| (i / self.edge, i % self.edge)).collect()
    }

    /// Makes a pixel known or unknown; pixels outside the picture are ignored.
    pub fn set(&mut self, row: usize, col: usize, unknown: bool) {
        if row < self.edge && col < self.edge {
            self.unknown[row * self.edge + col] = unknown;
        }
    }

    fn spell(&self) -> String {
        // The last byte of a picture whose area is no multiple of 8 ends in zeros.
        let byte =
            |bits: &[bool]| bits.iter().enumerate().fold(0u8, |byte, (at, &bit)| byte | u8::from(bit) << (7 - at));
        let bytes = self.unknown.chunks(8).map(byte);
        format!("{}.{}", self.edge, BASE64_URL_SAFE_NO_PAD.encode(bytes.collect::<Vec<_>>()))
    }

    fn parse(text: &str) -> Option<Self> {
        let (edge, bits) = text.split_once('.')?;
        let edge: usize = edge.parse().ok().filter(|edge| (1..=MAX_EDGE).contains(edge))?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(bits).ok()?;
        let mut unknown: Vec<bool> =
            bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).collect();
        if bytes.len() != (edge * edge).div_ceil(8) || unknown.drain(edge * edge..).any(|bit| bit) {
            return None;
        }
        Some(Self { edge, unknown })
    }
}

/// What is filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InpaintSettings {
    /// The picture.
    pub pick: Pick,
    /// Its unknown pixels.
    pub mask: Mask,
    /// The seed of the completions.
    pub attempt: u64,
    /// The completion that is shown: the most likely one is 0.
    pub choice: usize,
    /// Whether the model's rival fills the hole, too.
    pub race: bool,
}

impl Default for InpaintSettings {
    fn default() -> Self {
        let pick = Pick::Sample { seed: GOOD_SEED, index: 10 };
        Self { pick, mask: Mask::default(), attempt: 0, choice: 0, race: false }
    }
}

impl PanelSettings for InpaintSettings {
    fn read(&mut self, key: &str, value: &str) -> Verdict {
        match key {
            "p" => set(&mut self.pick, Pick::parse(value), "is not a picture"),
            "mask" if value == BARE => set(&mut self.mask, Some(Mask::new(1)), ""),
            "mask" => set(&mut self.mask, Mask::parse(value), "is not a mask"),
            "choice" => set(&mut self.choice, parse_choice(value), "is not a completion"),
            "try" => set(&mut self.attempt, parse_seed(value), "is not a seed of completions"),
            "race" => set(&mut self.race, parse_flag(value), "is not 0 or 1"),
            _ => Ok(()),
        }
    }

    fn write(&self, push: &mut dyn FnMut(&str, &str)) {
        push("p", &self.pick.spell());
        if self.mask.is_bare() {
            push("mask", BARE);
        } else if self.mask.count() > 0 {
            push("mask", &self.mask.spell());
        }
        push("try", &self.attempt.to_string());
        if self.choice > 0 {
            push("choice", &self.choice.to_string());
        }
        if self.race {
            push("race", "1");
        }
    }

    fn picks(&mut self) -> Vec<&mut Pick> {
        vec![&mut self.pick]
    }
}

fn parse_choice(text: &str) -> Option<usize> {
    parse_seed(text).and_then(|choice| usize::try_from(choice).ok()).filter(|choice| (0..=SAMPLES).contains(choice))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_survive_the_address() {
        let mut mask = Mask::new(16);
        for (row, col) in [(0, 0), (3, 5), (15, 15), (16, 0)] {
            mask.set(row, col, true);
        }
        assert_eq!(mask.places(), [(0, 0), (3, 5), (15, 15)]);
        assert_eq!(Mask::parse(&mask.spell()), Some(mask.clone()));
        mask.set(3, 5, false);
        assert_eq!(mask.count(), 2);
        // Every edge, also where the last byte is not full.
        for edge in 1..=MAX_EDGE {
            let mut mask = Mask::new(edge);
            mask.set(edge - 1, edge - 1, true);
            mask.set(edge / 2, 0, true);
            assert_eq!(Mask::parse(&mask.spell()), Some(mask), "{edge}");
        }
        assert_eq!(Mask::new(8).spell(), "8.AAAAAAAAAAA");
        assert!(Mask::parse("2.AA").is_some() && Mask::parse("2.AQ").is_none() && Mask::parse("8.AA").is_none());
    }

    #[test]
    fn a_hole_is_the_same_in_other_sizes() {
        let mut mask = Mask::new(8);
        [(2, 3), (7, 7)].into_iter().for_each(|(row, col)| mask.set(row, col, true));
        let larger = mask.scaled(16);
        assert_eq!(larger.places(), [(4, 6), (4, 7), (5, 6), (5, 7), (14, 14), (14, 15), (15, 14), (15, 15)]);
        assert_eq!((larger.scaled(8), mask.scaled(4).places()), (mask, vec![(1, 1), (3, 3)]));
        assert_eq!(Mask::default().scaled(4), Mask::new(4));
    }

    #[test]
    fn something_must_be_known_and_something_not() {
        let mut mask = Mask::new(2);
        assert!(!mask.is_mendable());
        [(0, 0), (0, 1), (1, 0)].into_iter().for_each(|(row, col)| mask.set(row, col, true));
        assert!(mask.is_mendable());
        mask.set(1, 1, true);
        assert!(!mask.is_mendable());
    }
}
