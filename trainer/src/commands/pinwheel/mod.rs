//! `trainer pinwheel`: what a sparse prior does to the axes of latent space.

mod plot;
mod wheel;

use std::path::PathBuf;

use clap::Args;
use shared::PriorKind;
use shared::train::TrainBackend;

use self::plot::draw;
use self::wheel::{Pinwheel, Trained};
use crate::args::DeviceArgs;
use crate::args::numbers::{count, seed};
use crate::device::{Job, dispatch};
use crate::error::Result;
use crate::output::say;

/// Arguments of `pinwheel`.
#[derive(Args, Debug, Clone)]
pub struct PinwheelArgs {
    /// Number of arms of the wheel, 2 to 16; a sparse prior in the plane has four.
    #[arg(long, default_value_t = 4, value_parser = count(2..=16_usize))]
    pub arms: usize,
    /// Training steps for each prior.
    #[arg(long, default_value_t = 1000, value_parser = count(1..=1_000_000_usize))]
    pub steps: usize,
    /// Seed of the points and of the initial weights.
    #[arg(long, default_value_t = 0, value_parser = seed())]
    pub seed: u64,
    /// Where to write the picture.
    #[arg(long, default_value = "pinwheel.png")]
    pub out: PathBuf,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Trains with both priors, and draws the axes of both flows.
///
/// # Errors
/// A picture that cannot be written.
pub fn run(args: PinwheelArgs) -> Result<()> {
    let wheel = Pinwheel { arms: args.arms, steps: args.steps, seed: args.seed };
    let mut trained = Vec::new();
    for prior in [PriorKind::Gaussian, PriorKind::Laplace] {
        let flow = dispatch(args.device.device, Train { wheel, prior })?;
        say!("{prior:?}: {:.3} nats, arms {:.1}° off the axes", flow.nats, flow.misalignment())?;
        trained.push(flow);
    }
    draw(&args.out, &wheel.points(0, 2000), &trained)?;
    say!("{}", args.out.display())
}

struct Train {
    wheel: Pinwheel,
    prior: PriorKind,
}

impl Job for Train {
    type Output = Trained;

    fn run<B: TrainBackend>(self, device: B::Device) -> Result<Trained> {
        self.wheel.train::<B>(self.prior, &device)
    }
}
