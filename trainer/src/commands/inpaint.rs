//! `trainer inpaint`: one image's completions.

use std::path::{Path, PathBuf};

use clap::Args;
use shared::edit::inpaint::Free;

use crate::args::numbers::zoom;
use crate::args::{DeviceArgs, WhichArgs, WishArgs};
use crate::completion::{hole_psnr, marked, smooth};
use crate::data::{read_mask_for, read_picture};
use crate::engine::Completed;
use crate::error::Result;
use crate::figures::sheet;
use crate::open::AnyModel;
use crate::output::say;

/// Arguments of `inpaint`.
#[derive(Args, Debug, Clone)]
pub struct InpaintArgs {
    /// The image to complete.
    pub image: PathBuf,
    /// Picture that is white where the image is unknown.
    pub mask: PathBuf,
    /// Weights file, checkpoint, or run folder.
    #[arg(long)]
    pub model: PathBuf,
    /// The whole image, to measure the completions against.
    #[arg(long)]
    pub truth: Option<PathBuf>,
    /// What is wanted.
    #[command(flatten)]
    pub wish: WishArgs,
    /// Where to write the sheet: the truth if given, the image, the best completion, the others.
    #[arg(long, default_value = "inpainted.png")]
    pub out: PathBuf,
    /// Enlarge each pixel this many times, 1 to 32.
    #[arg(long, default_value_t = 4, value_parser = zoom())]
    pub zoom: u32,
    /// Which checkpoint of a run folder.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Completes an image, and writes a sheet.
///
/// # Errors
/// Files that cannot be read or written, and a mask that marks nothing or everything.
pub fn run(args: InpaintArgs) -> Result<()> {
    let model = AnyModel::open(&args.model, args.which.which, args.device.device)?;
    let [channels, size] = model.config.image_shape();
    let picture = read(&args.image, size, channels)?;
    let mask = read_mask_for(&args.image, &args.mask, size)?;
    let truth = args.truth.as_deref().map(|path| read(path, size, channels)).transpose()?;
    let wish = args.wish.wish(model.joint.as_ref(), &model.card);
    let Completed { best, others, touched, whole, .. } =
        model.engine.complete(&picture, &mask, &Free::Coarse, &wish)?;
    say!("{} gradients in {:.1} s", whole.0, whole.1.as_secs_f64())?;
    let best = best.concat();
    if let Some(truth) = &truth {
        say!("PSNR in the hole: {:.2} dB, the best completion", hole_psnr(truth, &best, &mask))?;
        if !others.is_empty() {
            let each: Vec<f64> = others.iter().map(|other| hole_psnr(truth, other, &mask)).collect();
            let mean = each.iter().sum::<f64>() / each.len() as f64;
            say!("  {mean:.2} dB, the others on average")?;
        }
        say!("  {:.2} dB, a smooth fill without the model", hole_psnr(truth, &smooth(truth, &mask), &mask))?;
    }
    say!("{} of {} latents touched", touched.0, touched.1)?;
    let shown: Vec<Vec<u8>> = truth.into_iter().chain([marked(&picture, &mask), best]).chain(others).collect();
    sheet::save(&sheet::sheet(&shown, size, channels, shown.len(), args.zoom), &args.out)?;
    say!("{}", args.out.display())
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
