//! `--device`: the one place that turns a name into a backend.

use std::str::FromStr;

use burn::backend::Autodiff;
#[cfg(any(feature = "cuda", feature = "wgpu"))]
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn::tensor::backend::{Device as _, DeviceId};
use shared::train::TrainBackend;

use crate::error::{Error, Result};
#[cfg(any(feature = "cuda", feature = "wgpu"))]
use crate::panics::caught_on_all_threads;

/// The CPU with the project's own kernels: what reads checkpoints.
pub type Cpu = Autodiff<burn::backend::Flex>;

/// Where to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceChoice {
    /// CUDA where a driver and a card answer, else the CPU.
    Auto,
    /// An NVIDIA card by number.
    Cuda(usize),
    /// The default adapter of Vulkan, Metal or DirectX.
    Wgpu,
    /// The CPU, with the project's own kernels.
    Cpu,
    /// The CPU through candle.
    Candle,
}

impl DeviceChoice {
    /// Its name without a number, which is that of its feature too.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cuda(_) => "cuda",
            Self::Wgpu => "wgpu",
            Self::Cpu => "cpu",
            Self::Candle => "candle",
        }
    }

    fn not_built(self) -> Error {
        let name = self.kind();
        Error::Device(format!(
            "{name} is not in this build; build it in with `cargo run --release -p trainer --features {name} -- …`, or use \
             --device cpu"
        ))
    }
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, String> {
        let unknown = || format!("there is no device called {name}; use auto, cuda, cuda:1, wgpu, cpu or candle");
        match name {
            "auto" => Ok(Self::Auto),
            "cuda" => Ok(Self::Cuda(0)),
            "wgpu" => Ok(Self::Wgpu),
            "cpu" => Ok(Self::Cpu),
            "candle" => Ok(Self::Candle),
            _ => name.strip_prefix("cuda:").and_then(|i| i.parse().ok()).map(Self::Cuda).ok_or_else(unknown),
        }
    }
}

/// One device, or several of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Devices {
    first: DeviceChoice,
    others: Vec<DeviceChoice>,
}

impl Devices {
    /// The one that evaluates, and writes what a run leaves.
    pub fn first(&self) -> DeviceChoice {
        self.first
    }

    /// All of them.
    pub fn all(&self) -> Vec<DeviceChoice> {
        [&[self.first], self.others.as_slice()].concat()
    }

    /// All of them on the backend that was picked for the first, which is there as `first`.
    pub fn on<B: Backend>(&self, first: &B::Device) -> Vec<B::Device> {
        let other = |choice: &DeviceChoice| match *choice {
            DeviceChoice::Cuda(index) => B::Device::from_id(DeviceId { index_id: index as _, ..first.to_id() }),
            _ => first.clone(),
        };
        std::iter::once(first.clone()).chain(self.others.iter().map(other)).collect()
    }
}

impl From<DeviceChoice> for Devices {
    fn from(first: DeviceChoice) -> Self {
        Self { first, others: Vec::new() }
    }
}

impl FromStr for Devices {
    type Err = String;

    fn from_str(names: &str) -> std::result::Result<Self, String> {
        let mut choices = names.split(',').map(|name| DeviceChoice::from_str(name.trim()));
        let first = choices.next().unwrap_or(Ok(DeviceChoice::Auto))?;
        let others = choices.collect::<std::result::Result<Vec<_>, _>>()?;
        let kind = std::mem::discriminant(&first);
        if !others.is_empty() && first == DeviceChoice::Auto {
            return Err("several devices are named one by one, for instance cuda:0,cuda:1".into());
        }
        if others.iter().any(|other| std::mem::discriminant(other) != kind) {
            return Err(format!(
                "{names} are devices of different kinds; name several of one, for instance cuda:0,cuda:1"
            ));
        }
        Ok(Self { first, others })
    }
}

/// Work that runs on whichever backend is picked: putting a model there ([`crate::engine::open`]), training one, timing.
pub trait Job {
    /// What it gives.
    type Output;
    /// Does it.
    ///
    /// # Errors
    /// Whatever the work's own errors are.
    fn run<B: TrainBackend>(self, device: B::Device) -> Result<Self::Output>;
}

/// Runs the job on the chosen device.
///
/// # Errors
/// [`Error::Device`] in one line if the device is not there or this build lacks it, else the job's own.
pub fn dispatch<J: Job>(choice: DeviceChoice, job: J) -> Result<J::Output> {
    match choice {
        DeviceChoice::Auto => match cuda_device(0) {
            Ok(()) => dispatch(DeviceChoice::Cuda(0), job),
            Err(_) => dispatch(DeviceChoice::Cpu, job),
        },
        DeviceChoice::Cpu => job.run::<Cpu>(Default::default()),
        #[cfg(feature = "candle")]
        #[expect(deprecated)]
        DeviceChoice::Candle => job.run::<Autodiff<burn::backend::Candle>>(Default::default()),
        #[cfg(feature = "wgpu")]
        DeviceChoice::Wgpu => {
            probe::<burn::backend::Wgpu>(&Default::default(), "wgpu")?;
            job.run::<Autodiff<burn::backend::Wgpu>>(Default::default())
        }
        #[cfg(feature = "cuda")]
        DeviceChoice::Cuda(index) => {
            cuda_device(index)?;
            job.run::<Autodiff<burn::backend::Cuda>>(burn::backend::cuda::CudaDevice::new(index))
        }
        #[allow(unreachable_patterns)]
        missing => Err(missing.not_built()),
    }
}

/// Whether the device is there and computes.
///
/// # Errors
/// [`Error::Device`] as [`dispatch`].
pub fn check(choice: DeviceChoice) -> Result<()> {
    /// What `dispatch` does before it is what is asked for.
    struct Nothing;
    impl Job for Nothing {
        type Output = ();
        fn run<B: TrainBackend>(self, _: B::Device) -> Result<()> {
            Ok(())
        }
    }
    match choice {
        DeviceChoice::Auto | DeviceChoice::Cpu => Ok(()),
        choice => dispatch(choice, Nothing),
    }
}

/// Whether that CUDA card computes.
#[cfg(feature = "cuda")]
fn cuda_device(index: usize) -> Result<()> {
    probe::<burn::backend::Cuda>(&burn::backend::cuda::CudaDevice::new(index), &format!("cuda:{index}"))
}

#[cfg(not(feature = "cuda"))]
fn cuda_device(_: usize) -> Result<()> {
    Err(DeviceChoice::Cuda(0).not_built())
}

/// One addition on the device. Backends panic where a driver or a card is missing; this turns that into an error.
#[cfg(any(feature = "cuda", feature = "wgpu"))]
fn probe<B: Backend>(device: &B::Device, name: &str) -> Result<()> {
    let sum = caught_on_all_threads(|| Tensor::<B, 1>::ones([2], device).sum().into_data().iter::<f32>().next());
    match sum {
        Ok(Some(2.0)) => Ok(()),
        _ => Err(Error::Device(format!(
            "no {name} device answers; check its driver with the vendor's tool, or use --device cpu"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Name;

    impl Job for Name {
        type Output = String;
        fn run<B: TrainBackend>(self, device: B::Device) -> Result<String> {
            Ok(B::name(&device))
        }
    }

    #[test]
    fn names_are_read() {
        assert_eq!("cuda:3".parse(), Ok(DeviceChoice::Cuda(3)));
        assert_eq!("auto".parse(), Ok(DeviceChoice::Auto));
        assert!("cuda:x".parse::<DeviceChoice>().unwrap_err().contains("cuda:x"));
        assert!("gpu".parse::<DeviceChoice>().is_err());
    }

    #[test]
    fn several_devices_are_of_one_kind() {
        let devices: Devices = "cuda:0, cuda:2".parse().unwrap();
        assert_eq!(devices.all(), [DeviceChoice::Cuda(0), DeviceChoice::Cuda(2)]);
        assert_eq!("cpu".parse(), Ok(Devices::from(DeviceChoice::Cpu)));
        for wrong in ["cuda:0,cpu", "auto,auto", "cpu,", ""] {
            assert!(wrong.parse::<Devices>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn auto_finds_something_that_computes() {
        let name = dispatch(DeviceChoice::Auto, Name).unwrap();
        assert!(name.contains("flex") || name.contains("cuda"), "{name}");
    }

    #[test]
    fn a_card_that_is_not_there_is_an_error_and_no_panic() {
        let error = dispatch(DeviceChoice::Cuda(97), Name).unwrap_err().to_string();
        assert!(error.contains("cuda:97") || error.contains("not in this build"), "{error}");
    }
}
