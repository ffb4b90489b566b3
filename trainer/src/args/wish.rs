//! What is wanted of a completion.

use clap::Args;
use shared::edit::inpaint::Wish;
use shared::sampler::Latents;
use shared::weights::Card;

use super::numbers::{count, seed, temperature};
use super::temperature::TemperatureArgs;
use crate::drawing::Joint;

/// The most other completions of an image.
const MAX_SAMPLES: u32 = 64;

/// How many completions, and what they may look like.
#[derive(Args, Debug, Clone)]
pub struct WishArgs {
    /// Number of other completions of each image, besides the best one, 0 to 64.
    #[arg(long, default_value_t = 4, value_parser = count(0..=MAX_SAMPLES))]
    pub samples: u32,
    /// Seed of the random draws for the other completions.
    #[arg(long, default_value_t = 0, value_parser = seed())]
    pub seed: u64,
    /// Temperatures of those draws.
    #[command(flatten)]
    pub temperature: TemperatureArgs,
    /// Temperature of the finest level in the best completion, 0 to 10: it gives a large hole the texture of its
    /// surroundings. 0 gives the highest PSNR [default: half the temperature of that level].
    #[arg(long, value_parser = temperature())]
    pub texture: Option<f32>,
}

impl WishArgs {
    /// As the library takes it, for the model with that card, jointly if the model can with `joint`.
    pub fn wish(&self, joint: Option<&Joint>, card: &Card) -> Wish {
        let joint = joint.filter(|_| !self.temperature.independent);
        let latents = if joint.is_some() { Latents::Joint } else { Latents::Independent };
        let mut wish = Wish::recommended(self.samples as usize, self.seed, card, joint.map(Joint::sampler));
        if self.temperature.temperature.is_some() || self.temperature.low_temperature.is_some() {
            wish.temperature = self.temperature.of(card, latents);
        }
        wish.texture = self.texture.unwrap_or(wish.texture);
        wish
    }
}
