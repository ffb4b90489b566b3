//! `--precision`.

use clap::ValueEnum;
use shared::weights::Precision;

/// How a weights file stores its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PrecisionName {
    /// Half precision, 2 bytes a number.
    F16,
    /// Single precision, 4 bytes a number.
    F32,
}

impl From<PrecisionName> for Precision {
    fn from(name: PrecisionName) -> Self {
        match name {
            PrecisionName::F16 => Self::F16,
            PrecisionName::F32 => Self::F32,
        }
    }
}
