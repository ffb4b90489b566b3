//! `trainer pinwheel`.

use shared::PriorKind;

use crate::cli::PinwheelArgs;
use crate::device::{Job, TrainBackend, dispatch};
use crate::error::Result;
use crate::output::say;
use crate::pinwheel::{Pinwheel, Trained, draw};

/// Trains with both priors and draws what they make of the axes.
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
    say!("{}", args.out.display())?;
    Ok(())
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
