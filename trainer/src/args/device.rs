//! `--device`.

use clap::Args;

use crate::device::{DeviceChoice, Devices};

/// Where to compute.
#[derive(Args, Debug, Clone)]
pub struct DeviceArgs {
    /// Device to compute on: auto (CUDA if a card answers, otherwise the CPU), cuda, cuda:1 and so on, cpu, or wgpu or
    /// candle in builds with these features.
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
}

/// Where to train.
#[derive(Args, Debug, Clone)]
pub struct DevicesArgs {
    /// Device to train on: auto (CUDA if a card answers, otherwise the CPU), cuda, cuda:1 and so on, cpu, or wgpu or
    /// candle in builds with these features. Several of a kind, such as cuda:0,cuda:1, share each batch.
    #[arg(long = "device", value_name = "DEVICE[,DEVICE…]", default_value = "auto")]
    pub devices: Devices,
}
