//! Latents by level and position, and their places in the picture.

use std::fmt::{Display, Formatter};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::config::RgFlowConfig;
use crate::error::{Error, Result};

/// One latent: level h, row and column in the level's grid, channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LatentAddress {
    /// RG level h; 0 is the finest.
    pub level: usize,
    /// Row in the grid of edge L/2^h.
    pub row: usize,
    /// Column in that grid.
    pub col: usize,
    /// Channel.
    pub channel: usize,
}

/// As `level.row.column.channel`.
impl Display for LatentAddress {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}.{}", self.level, self.row, self.col, self.channel)
    }
}

impl FromStr for LatentAddress {
    type Err = Error;

    /// # Errors
    /// [`Error::Address`] if the text is not four numbers of a sensible size, separated by dots.
    fn from_str(text: &str) -> Result<Self> {
        let numbers: Option<Vec<usize>> = text.split('.').map(|n| n.parse::<u16>().ok().map(usize::from)).collect();
        match numbers.as_deref() {
            Some(&[level, row, col, channel]) => Ok(Self { level, row, col, channel }),
            _ => Err(Error::Address(format!("{text:?} is not LEVEL.ROW.COLUMN.CHANNEL"))),
        }
    }
}

/// The levels of a model: which places of the picture belong to which level.
#[derive(Clone, Debug)]
pub struct Levels {
    size: usize,
    channels: usize,
    count: usize,
}

impl Levels {
    /// The levels of a valid configuration.
    pub fn new(config: &RgFlowConfig) -> Self {
        Self { size: config.size, channels: config.channels, count: config.level_count() }
    }

    /// Number of levels.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Edge of level h's grid.
    pub fn edge(&self, level: usize) -> usize {
        self.size >> level
    }

    /// The level whose latent stands at this place of the picture.
    pub fn level_at(&self, row: usize, col: usize) -> usize {
        // Zero is a multiple of every 2^h and belongs to the top level.
        let power = (row | col).trailing_zeros() as usize;
        power.min(self.count - 1)
    }

    /// Index of a latent in the flat picture `[C, L, L]`.
    ///
    /// # Errors
    /// [`Error::Address`] if there is no latent at that address.
    pub fn index(&self, at: LatentAddress) -> Result<usize> {
        let inside = at.level < self.count
            && at.channel < self.channels
            && at.row < self.edge(at.level)
            && at.col < self.edge(at.level);
        if inside {
            let (row, col) = (at.row << at.level, at.col << at.level);
            if self.level_at(row, col) == at.level {
                return Ok((at.channel * self.size + row) * self.size + col);
            }
        }
        Err(Error::Address(format!(
            "the model has no latent {at}: it has {} levels and edge {}",
            self.count, self.size
        )))
    }

    /// Address of the latent at an index of the flat picture.
    ///
    /// # Errors
    /// [`Error::Address`] if the index lies outside the picture.
    pub fn address(&self, index: usize) -> Result<LatentAddress> {
        let (channel, place) = (index / (self.size * self.size), index % (self.size * self.size));
        if channel >= self.channels {
            return Err(Error::Address(format!("index {index} is outside a picture of {} numbers", self.len())));
        }
        let (row, col) = (place / self.size, place % self.size);
        let level = self.level_at(row, col);
        Ok(LatentAddress { level, row: row >> level, col: col >> level, channel })
    }

    /// Numbers in the picture.
    pub fn len(&self) -> usize {
        self.channels * self.size * self.size
    }

    /// Always false, since every model has latents; `len` should come with `is_empty`.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Level of each entry of the flat picture.
    pub fn of_picture(&self) -> Vec<usize> {
        let place = |i: usize| i % (self.size * self.size);
        (0..self.len()).map(|i| self.level_at(place(i) / self.size, place(i) % self.size)).collect()
    }

    /// Indices in the flat picture of one level's latents, in ascending order.
    pub fn indices(&self, level: usize) -> Vec<usize> {
        self.of_picture().iter().enumerate().filter(|&(_, &l)| l == level).map(|(i, _)| i).collect()
    }
}

/// How many numbers each level has, finest first, given the level of each number.
///
/// # Examples
/// ```
/// assert_eq!(shared::geometry::counts_by_level(&[0, 1, 0, 0]), [3, 1]);
/// ```
pub fn counts_by_level(levels: &[usize]) -> Vec<usize> {
    let mut counts = vec![0; levels.iter().max().map_or(0, |most| most + 1)];
    levels.iter().for_each(|&level| counts[level] += 1);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_indices_are_inverse() {
        let levels = Levels::new(&RgFlowConfig::deep());
        for index in 0..levels.len() {
            assert_eq!(levels.index(levels.address(index).unwrap()).unwrap(), index);
        }
    }

    #[test]
    fn levels_hold_three_quarters_of_their_grid_and_the_top_all() {
        let levels = Levels::new(&RgFlowConfig::deep());
        let counts: Vec<_> = (0..levels.count()).map(|h| levels.indices(h).len()).collect();
        assert_eq!(counts, [3 * 768, 3 * 192, 3 * 48, 3 * 16]);
    }

    #[test]
    fn addresses_are_spelled_and_read() {
        let at = LatentAddress { level: 3, row: 0, col: 12, channel: 2 };
        assert_eq!((at.to_string().as_str(), at.to_string().parse().ok()), ("3.0.12.2", Some(at)));
        for bad in ["", "1.2.3", "1.2.3.4.5", "1.2.3.-4", "1.2.3.70000", "a.b.c.d", "1..2.3"] {
            assert!(bad.parse::<LatentAddress>().unwrap_err().to_string().contains("LEVEL.ROW"), "{bad}");
        }
    }

    #[test]
    fn addresses_outside_are_refused() {
        let levels = Levels::new(&RgFlowConfig::deep());
        let at = |level, row, col, channel| LatentAddress { level, row, col, channel };
        for bad in [at(4, 0, 0, 0), at(0, 32, 1, 0), at(0, 1, 1, 3), at(0, 2, 2, 0), at(3, 0, 4, 0)] {
            assert!(levels.index(bad).is_err(), "{bad:?}");
        }
        assert!(levels.index(at(3, 2, 2, 0)).is_ok());
        assert!(levels.address(levels.len()).is_err());
    }
}
