//! Arguments that several commands share, and what they mean.

mod data;
mod device;
mod figure;
pub mod numbers;
mod precision;
mod preset;
mod temperature;
mod which;
mod wish;

pub use data::{DataSetArgs, keep_apart, source, tell, test_part};
pub use device::{DeviceArgs, DevicesArgs};
pub use figure::FigureArgs;
pub use precision::PrecisionName;
pub use preset::{Preset, preset};
pub use temperature::{TemperatureArgs, one_or_each};
pub use which::WhichArgs;
pub use wish::WishArgs;
