//! `trainer eval`.

use std::path::Path;

use shared::weights::AnyModelFile;

use crate::cli::EvalArgs;
use crate::data::ImageSet;
use crate::device::{Job, TrainBackend, dispatch};
use crate::error::Result;
use crate::evaluate::{Score, bits_per_dim};
use crate::output::say;

/// Prints the test set's bits/dim.
///
/// # Errors
/// A model or data that cannot be read.
pub fn run(args: EvalArgs) -> Result<()> {
    let loaded = super::model::load_any(&args.model)?;
    let test = super::load_test(&args.data, loaded.file.config().image_shape())?;
    let job = Eval { loaded: &loaded, path: &args.model, images: &test.images, draws: args.draws };
    let Score { mean, standard_error, images } = dispatch(args.device.device, job)?;
    say!("{mean:.4} ± {standard_error:.4} bits/dim on {images} test images of {} (k = {})", test.name, args.draws)?;
    Ok(())
}

/// Evaluates a loaded model.
pub struct Eval<'a> {
    /// The model.
    pub loaded: &'a super::model::Loaded<AnyModelFile>,
    /// Its file, for messages.
    pub path: &'a Path,
    /// The images.
    pub images: &'a ImageSet,
    /// Dequantisation samples.
    pub draws: u64,
}

impl Job for Eval<'_> {
    type Output = Score;

    fn run<B: TrainBackend>(self, device: B::Device) -> Result<Score> {
        let flow = super::model::any_flow::<B::InnerBackend>(self.loaded, self.path, &device)?;
        bits_per_dim::<B::InnerBackend>(flow.as_ref(), self.images, self.draws, &device)
    }
}
