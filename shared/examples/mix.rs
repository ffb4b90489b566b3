//! Mixes two samples of a model by level (eq. 9, fig. 6), from all of the first to all of the second, side by side:
//!
//!     cargo run --release -p shared --example mix web/models/faces.safetensors mix.png

use burn::backend::Flex;
use image::ExtendedColorType;
use shared::edit::mix;
use shared::prior::draw_latents;
use shared::sampler::Draw;
use shared::weights::ModelFile;
use shared::{Temperature, logit};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [model, out] = args.as_slice() else { return Err("usage: mix MODEL.safetensors OUT.png".into()) };
    let device = Default::default();
    let file = ModelFile::from_bytes(&std::fs::read(model)?)?;
    let temperature = file.card.recommended(Draw::Independent).unwrap_or(Temperature::uniform(0.8));
    let flow = file.into_flow::<Flex>(&device)?;
    let sample = |index| flow.batch(draw_latents(flow.config(), 1, index, &temperature), &device);
    let (images, _) = flow.inverse(mix::all_levels(flow.config(), sample(0)?, sample(1)?)?);
    // From [image, channel, row, column] to the rows of one picture, with the channels last.
    let [count, channels, size, _] = images.dims();
    let pixels: Vec<u8> = images.permute([2, 0, 3, 1]).into_data().iter::<f32>().map(logit::to_pixel).collect();
    let colour = if channels == 1 { ExtendedColorType::L8 } else { ExtendedColorType::Rgb8 };
    Ok(image::save_buffer(out, &pixels, (count * size) as u32, size as u32, colour)?)
}
