//! `--device`.

use clap::Args;

use crate::device::DeviceChoice;

/// Where to compute.
#[derive(Args, Debug, Clone)]
pub struct DeviceArgs {
    /// Device to compute on: auto (CUDA if a card answers, otherwise the CPU), cuda, cuda:1 and so on, wgpu, cpu or
    /// candle.
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
}
