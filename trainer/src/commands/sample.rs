//! `trainer sample`.

use shared::weights::AnyModelFile;

use crate::cli::SampleArgs;
use crate::device::{Job, TrainBackend, dispatch};
use crate::error::Result;
use crate::evaluate::{random_seed, sample_pictures};
use crate::sheet;

/// Writes a sheet of samples.
///
/// # Errors
/// A model that cannot be read, or a picture that cannot be written.
pub fn run(args: SampleArgs) -> Result<()> {
    let loaded = super::model::load_any(&args.model)?;
    let [channels, size] = loaded.file.config().image_shape();
    let seed = args.seed.unwrap_or_else(random_seed);
    let pictures = dispatch(args.device.device, Sample { args: &args, loaded, seed })?;
    let columns = (args.count as f64).sqrt().ceil() as usize;
    sheet::save(&sheet::sheet(&pictures, size, channels, columns, args.zoom.clamp(1, 32)), &args.out)?;
    println!("{} samples of seed {seed}: {}", pictures.len(), args.out.display());
    Ok(())
}

struct Sample<'a> {
    args: &'a SampleArgs,
    loaded: super::model::Loaded<AnyModelFile>,
    seed: u64,
}

impl Job for Sample<'_> {
    type Output = Vec<Vec<u8>>;

    fn run<B: TrainBackend>(self, device: B::Device) -> Result<Self::Output> {
        let flow = super::model::any_flow::<B::InnerBackend>(&self.loaded, &self.args.model, &device)?;
        let temperature = self.args.temperature.temperature();
        sample_pictures::<B::InnerBackend>(flow.as_ref(), self.seed, 0..self.args.count, &temperature, &device)
    }
}
