//! What every figure has.

use clap::Args;

use super::device::DeviceArgs;
use super::numbers::zoom;
use super::which::WhichArgs;

/// How a figure is drawn, and what its pictures are computed with.
#[derive(Args, Debug, Clone)]
pub struct FigureArgs {
    /// Enlarge each pixel this many times, 1 to 32.
    #[arg(long, default_value_t = 3, value_parser = zoom())]
    pub zoom: u32,
    /// Which checkpoint of a run folder.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}
