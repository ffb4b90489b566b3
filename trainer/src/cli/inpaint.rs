//! Arguments of the commands that complete images.

use shared::sampler::Latents;
use std::path::PathBuf;

use clap::Args;
use shared::edit::inpaint::Wish;
use shared::weights::Card;

use super::numbers::{count, temperature, zoom};
use super::{DataSetArgs, DeviceArgs, TemperatureArgs};

/// The most other completions of an image.
const MAX_SAMPLES: u32 = 64;

/// How many completions, and what they may look like.
#[derive(Args, Debug, Clone)]
pub struct WishArgs {
    /// Other completions of each image, besides the best one: 0 to 64.
    #[arg(long, default_value_t = 4, value_parser = count(0..=MAX_SAMPLES))]
    pub samples: u32,
    /// Seed of what is drawn for them.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Temperatures of what is drawn for them.
    #[command(flatten)]
    pub temperature: TemperatureArgs,
    /// Temperature of the finest level in the best completion, which gives the hole the texture of the rest; 0 for the
    /// highest PSNR [default: half the temperature of that level].
    #[arg(long, value_parser = temperature())]
    pub texture: Option<f32>,
}

impl WishArgs {
    /// As the library takes it, for the model of that card.
    pub fn wish(&self, card: &Card) -> Wish {
        let mut wish = Wish::new(self.samples as usize, self.seed, card.recommended(Latents::Independent).as_ref());
        if self.temperature.temperature.is_some() || self.temperature.low_temperature.is_some() {
            wish.temperature = self.temperature.of(card, Latents::Independent);
        }
        wish.texture = self.texture.unwrap_or(wish.texture);
        wish
    }
}

/// Arguments of `inpaint`.
#[derive(Args, Debug, Clone)]
pub struct InpaintArgs {
    /// The image.
    pub image: PathBuf,
    /// White where it is unknown.
    pub mask: PathBuf,
    /// Weights file, checkpoint, or a run's folder.
    #[arg(long)]
    pub model: PathBuf,
    /// The whole image, to measure against.
    #[arg(long)]
    pub truth: Option<PathBuf>,
    /// What is wanted.
    #[command(flatten)]
    pub wish: WishArgs,
    /// The sheet: the truth if given, the image, the best completion, the others.
    #[arg(long, default_value = "inpainted.png")]
    pub out: PathBuf,
    /// How many times each pixel is enlarged: 1 to 32.
    #[arg(long, default_value_t = 4, value_parser = zoom())]
    pub zoom: u32,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Arguments of `eval-inpaint`.
#[derive(Args, Debug, Clone)]
pub struct EvalInpaintArgs {
    /// Weights files, checkpoints, or runs' folders.
    #[arg(required = true)]
    pub models: Vec<PathBuf>,
    /// The images; the first of the test part are completed.
    #[command(flatten)]
    pub data: DataSetArgs,
    /// How many images are completed.
    #[arg(long, default_value_t = 64, value_parser = count(1..=100_000_u32))]
    pub images: u32,
    /// This hole alone; may be given several times.
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(crate::completion::HOLES.map(|(name, _)| name)))]
    pub hole: Vec<String>,
    /// What is wanted; other completions are made of the first model alone.
    #[command(flatten)]
    pub wish: WishArgs,
    /// Also a sheet of the first images for each hole: the truth, the image, and each row of the table.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}
