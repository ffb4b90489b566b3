//! `trainer sample`.

use std::path::Path;

use shared::weights::AnyModelFile;

use super::model::Loaded;

use crate::cli::SampleArgs;
use crate::device::{Job, TrainBackend, dispatch};
use crate::drawing::Drawing;
use crate::error::Result;
use crate::evaluate::{random_seed, sample_pictures};
use crate::output::say;
use crate::sheet;

/// Writes a sheet of samples.
///
/// # Errors
/// A model that cannot be read, or a picture that cannot be written.
pub fn run(args: SampleArgs) -> Result<()> {
    let loaded = super::model::load_any(&args.model)?;
    let [channels, size] = loaded.file.config().image_shape();
    let seed = args.seed.unwrap_or_else(random_seed);
    let (count, drawing) = (args.count, Drawing::of(&loaded.file, &args.temperature));
    let columns = (count as f64).sqrt().ceil() as usize;
    sheet::fits(columns, (count as usize).div_ceil(columns), size * args.zoom as usize)?;
    let job = Sample { loaded: &loaded, path: &args.model, seed, count, drawing };
    let pictures = dispatch(args.device.device, job)?;
    sheet::save(&sheet::sheet(&pictures, size, channels, columns, args.zoom), &args.out)?;
    say!("{} samples of seed {seed}: {}", pictures.len(), args.out.display())?;
    Ok(())
}

/// Samples of a loaded model.
pub struct Sample<'a> {
    /// The model.
    pub loaded: &'a Loaded<AnyModelFile>,
    /// Its file, for messages.
    pub path: &'a Path,
    /// The seed.
    pub seed: u64,
    /// How many samples of it.
    pub count: u64,
    /// How they are drawn.
    pub drawing: Drawing,
}

impl Job for Sample<'_> {
    type Output = Vec<Vec<u8>>;

    fn run<B: TrainBackend>(self, device: B::Device) -> Result<Self::Output> {
        let flow = super::model::any_flow::<B::InnerBackend>(self.loaded, self.path, &device)?;
        sample_pictures::<B::InnerBackend>(flow.as_ref(), self.seed, 0..self.count, &self.drawing, &device)
    }
}
