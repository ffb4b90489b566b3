//! `trainer inpaint`.

use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use shared::edit::inpaint::{Free, Inpainting, Mask};
use shared::weights::AnyModelFile;

use crate::cli::InpaintArgs;
use crate::completion::{bytes, hole_psnr, logits, marked, smooth};
use crate::data::{read_mask_for, read_picture};
use crate::device::{Job, TrainBackend, dispatch};
use crate::error::{Error, Result};
use crate::output::say;
use crate::sheet;

/// Completes an image, and writes a sheet.
///
/// # Errors
/// Files that cannot be read or written, and a mask that marks nothing or everything.
pub fn run(args: InpaintArgs) -> Result<()> {
    let loaded = super::model::load_any(&args.model)?;
    let [channels, size] = loaded.file.config().image_shape();
    let picture = read(&args.image, size, channels)?;
    let mask = read_mask_for(&args.image, &args.mask, size)?;
    let truth = args.truth.as_deref().map(|path| read(path, size, channels)).transpose()?;
    let Completed { best, samples, touched } =
        dispatch(args.device.device, Complete { args: &args, loaded: &loaded, picture: &picture, mask: &mask })?;
    if let Some(truth) = &truth {
        say!("PSNR in the hole: {:.2} dB the best completion", hole_psnr(truth, &best, &mask))?;
        if !samples.is_empty() {
            let each: Vec<f64> = samples.iter().map(|sample| hole_psnr(truth, sample, &mask)).collect();
            let mean = each.iter().sum::<f64>() / each.len() as f64;
            say!("  {mean:.2} dB the others on average")?;
        }
        say!("  {:.2} dB filled smoothly, without the model", hole_psnr(truth, &smooth(truth, &mask), &mask))?;
    }
    say!("{} of {} latents touched", touched.0, touched.1)?;
    let shown: Vec<Vec<u8>> = truth.into_iter().chain([marked(&picture, &mask), best]).chain(samples).collect();
    sheet::save(&sheet::sheet(&shown, size, channels, shown.len(), args.zoom), &args.out)?;
    say!("{}", args.out.display())?;
    Ok(())
}

/// Reads a picture with as many channels as the model's; one is the mean of three.
fn read(path: &Path, size: usize, channels: usize) -> Result<Vec<u8>> {
    let picture = read_picture(path, size)?;
    let plane = size * size;
    if channels == 1 {
        let grey = |i: usize| ((0..3).map(|c| u32::from(picture[c * plane + i])).sum::<u32>() / 3) as u8;
        return Ok((0..plane).map(grey).collect());
    }
    Ok(picture)
}

struct Complete<'a> {
    args: &'a InpaintArgs,
    loaded: &'a super::model::Loaded<AnyModelFile>,
    picture: &'a [u8],
    mask: &'a Mask,
}

struct Completed {
    best: Vec<u8>,
    samples: Vec<Vec<u8>>,
    touched: (usize, usize),
}

impl Job for Complete<'_> {
    type Output = Completed;

    fn run<B: TrainBackend>(self, device: B::Device) -> Result<Completed> {
        let fail = |source| Error::Model { file: self.args.image.display().to_string(), source };
        let flow = Rc::from(super::model::any_flow::<B>(self.loaded, &self.args.model, &device)?);
        let wish = self.args.wish.wish(self.loaded.file.card());
        let start = Instant::now();
        let mut inpainting =
            Inpainting::new(flow, logits(self.picture), self.mask, Free::Coarse, wish, &device).map_err(fail)?;
        while inpainting.step() {}
        let best = bytes(&inpainting.images().concat());
        let samples = inpainting.others().iter().map(|other| bytes(other)).collect();
        say!("{} gradients in {:.1} s", inpainting.progress().0, start.elapsed().as_secs_f64())?;
        Ok(Completed { best, samples, touched: inpainting.touched() })
    }
}
