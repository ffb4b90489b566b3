//! `trainer eval-inpaint`: models compared by their completions.

mod holes;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use shared::ModelConfig;
use shared::edit::inpaint::{Free, Mask, Wish};

use self::holes::HOLES;
use crate::args::numbers::count;
use crate::args::{DataSetArgs, DeviceArgs, WhichArgs, WishArgs};
use crate::completion::{hole_distance, hole_psnr, marked, smooth};
use crate::data::ImageSet;
use crate::engine::Completed;
use crate::error::{Error, Result};
use crate::figures::sheet;
use crate::files::make_folder;
use crate::open::AnyModel;
use crate::output::say;
use crate::pca::Pca;
use crate::progress::Progress;

/// Images completed at once.
const BATCH: usize = 16;
/// Images on a sheet.
const SHOWN: usize = 16;
/// The linear model to compare with: its components, and the training images that they are found in.
const COMPONENTS: usize = 64;
const PCA_IMAGES: usize = 4000;

/// Arguments of `eval-inpaint`.
#[derive(Args, Debug, Clone)]
pub struct EvalInpaintArgs {
    /// The models: weights files, checkpoints, or run folders.
    #[arg(required = true)]
    pub models: Vec<PathBuf>,
    /// The images; those completed are the first of the test part.
    #[command(flatten)]
    pub data: DataSetArgs,
    /// Number of images to complete, 1 to 100000.
    #[arg(long, default_value_t = 64, value_parser = count(1..=100_000_u32))]
    pub images: u32,
    /// Hole to complete; may be given several times [default: all five].
    #[arg(long, value_parser = PossibleValuesParser::new(HOLES.map(|(name, _)| name)))]
    pub hole: Vec<String>,
    /// What is wanted; only the first model makes other completions.
    #[command(flatten)]
    pub wish: WishArgs,
    /// Also write a sheet of the first images for each hole to this folder: the truth, the image, each row of the table.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Which checkpoint of a run folder.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Completes test images with every model, and prints a table for each hole.
///
/// # Errors
/// Models or data that cannot be read, and sheets that cannot be written.
pub fn run(args: EvalInpaintArgs) -> Result<()> {
    let data = args.data.of_model(&args.models[0], args.which.which)?;
    let open = |path: &PathBuf| AnyModel::open(path, args.which.which, args.device.device);
    let models = args.models.iter().map(open).collect::<Result<Vec<_>>>()?;
    let shape = |model: &AnyModel| model.config.image_shape();
    let [channels, size] = models.first().map(shape).unwrap_or_default();
    if let Some((path, _)) = args.models.iter().zip(&models).find(|(_, model)| shape(model) != [channels, size]) {
        let problem = "its images are not of the first model's size";
        return Err(Error::usage(path.display().to_string(), problem, "compare models of one size"));
    }
    if let Some(out) = &args.out {
        data.keep_apart(out)?;
    }
    let data = data.load([channels, size])?;
    let images = data.test.subset(&(0..data.test.len().min(args.images as usize)).collect::<Vec<_>>())?;
    let (fitted, held_out) = Pca::split(&data.train, PCA_IMAGES);
    let pca = (fitted.len() > 2 * COMPONENTS).then(|| Pca::fit(&fitted, COMPONENTS));
    for (name, shares) in
        HOLES.into_iter().filter(|(name, _)| args.hole.is_empty() || args.hole.iter().any(|h| h == name))
    {
        let mask = Mask::region(size, shares).map_err(|source| Error::Model { file: name.into(), source })?;
        let each = |f: &dyn Fn(&[u8]) -> Vec<u8>| -> Vec<Vec<u8>> { images.iter().map(f).collect() };
        say!("\n{name}, {} images of {}", images.len(), data.name)?;
        say!("{:<36} {:>14} {:>12} {:>9} {:>8}", "completed by", "PSNR", "latents", "gradients", "seconds")?;
        let mut rows = vec![Row::model_free("smooth fill, without a model", each(&|image| smooth(image, &mask)))];
        if let Some(pca) = &pca {
            let completed = pca.complete(&held_out, &images, &mask);
            rows.push(Row::model_free(&format!("mean given the rest, {COMPONENTS} PCs"), completed));
        }
        for row in &rows {
            row.print(&images, &mask)?;
        }
        // As many latents as the last model before with a cone has in it.
        let mut allowed = None;
        for (number, (path, model)) in args.models.iter().zip(&models).enumerate() {
            let mut wish = args.wish.wish(model.joint.as_ref(), &model.card);
            if number > 0 {
                wish.others = 0;
            }
            let (cone, completed) = Completion { wish, model, path, images: &images, mask: &mask }.rows(allowed)?;
            allowed = cone.or(allowed);
            for row in completed {
                row.print(&images, &mask)?;
                rows.push(row);
            }
        }
        if let Some(out) = &args.out {
            let columns = images.len().min(SHOWN);
            let mut shown: Vec<Vec<u8>> = images.iter().take(columns).map(<[u8]>::to_vec).collect();
            shown.extend(each(&|image| marked(image, &mask)).into_iter().take(columns));
            rows.iter().for_each(|row| shown.extend(row.completed.iter().take(columns).cloned()));
            make_folder(out)?;
            let out = out.join(format!("{name}.png"));
            sheet::save(&sheet::sheet(&shown, size, channels, columns, 3), &out)?;
            say!("{}: the images, the parts that were given, then a row for each line above", out.display())?;
        }
    }
    Ok(())
}

/// One line of the table.
struct Row {
    name: String,
    completed: Vec<Vec<u8>>,
    /// Latents touched, of how many.
    latents: Option<(usize, usize)>,
    gradients: u32,
    time: Duration,
    /// How far several completions of an image are from one another, in grey levels.
    apart: Option<f64>,
}

impl Row {
    fn model_free(name: &str, completed: Vec<Vec<u8>>) -> Self {
        Self { name: name.into(), completed, latents: None, gradients: 0, time: Duration::ZERO, apart: None }
    }

    fn print(&self, images: &ImageSet, mask: &Mask) -> Result<()> {
        let each: Vec<f64> = images.iter().zip(&self.completed).map(|(t, c)| hole_psnr(t, c, mask).min(99.0)).collect();
        let n = each.len() as f64;
        let mean = each.iter().sum::<f64>() / n;
        let error = (each.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0) / n).sqrt();
        let latents = self.latents.map_or("-".into(), |(touched, total)| format!("{touched} of {total}"));
        let (gradients, seconds) = (self.gradients, self.time.as_secs_f64() / n);
        let apart = self.apart.map(|apart| format!("  {apart:.1} grey levels apart")).unwrap_or_default();
        say!("{:<36} {mean:>7.2} ± {error:.2} {latents:>14} {gradients:>7} {seconds:>8.2}{apart}", self.name)
    }
}

/// One model's completions of all images.
struct Completion<'a> {
    wish: Wish,
    model: &'a AnyModel,
    path: &'a Path,
    images: &'a ImageSet,
    mask: &'a Mask,
}

impl Completion<'_> {
    /// Latents in the hole's cone, if the model has cones, and lines of the table. A model without cones is also shown
    /// with as many latents free as are `allowed`, to be compared.
    fn rows(&self, allowed: Option<usize>) -> Result<(Option<usize>, Vec<Row>)> {
        if matches!(self.model.config, ModelConfig::RgFlow(_)) {
            let rows = self.complete("", &Free::Coarse)?;
            let cone = rows.first().and_then(|row| row.latents).map(|(touched, _)| touched);
            return Ok((cone, rows));
        }
        let dims = self.model.config.dims();
        let mut rows = self.complete(", all latents", &Free::Places((0..dims).collect()))?;
        if let Some(allowed) = allowed {
            rows.extend(self.complete(", some latents", &Free::Places(self.some(dims, allowed)))?);
        }
        Ok((None, rows))
    }

    /// Latents picked at random, as the paper does.
    fn some(&self, dims: usize, count: usize) -> Vec<usize> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.wish.seed);
        let mut picked = rand::seq::index::sample(&mut rng, dims, count.min(dims)).into_vec();
        picked.sort_unstable();
        picked
    }

    /// The best completions and, if asked for, one of the others of each image and the mean of them.
    fn complete(&self, how: &str, free: &Free) -> Result<Vec<Row>> {
        let name = self.path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default() + how;
        let [mut all, mut first, mut mean] = [const { Vec::new() }; 3];
        let mut latents = None;
        let (mut to_best, mut to_end) = ((0, Duration::ZERO), (0, Duration::ZERO));
        let mut apart = Vec::new();
        let progress = Progress::new(format!("images completed by {name}"), self.images.len());
        for pixels in self.images.pixels().chunks(BATCH * self.images.image_len()) {
            let Completed { best, others, touched, search, whole } =
                self.model.engine.complete(pixels, self.mask, free, &self.wish)?;
            latents = Some(touched);
            to_best = (search.0, to_best.1 + search.1);
            to_end = (whole.0, to_end.1 + whole.1);
            all.extend(best);
            progress.set(all.len());
            for others in others.chunks_exact(self.wish.others.max(1)) {
                first.push(others[0].clone());
                mean.push(average(others));
                let pairs = others.iter().enumerate().flat_map(|(i, a)| others[..i].iter().map(move |b| (a, b)));
                apart.extend(pairs.map(|(a, b)| hole_distance(a, b, self.mask)));
            }
        }
        let row = |what: &str, completed, (gradients, time), apart| Row {
            name: format!("{name}{what}"),
            completed,
            latents,
            gradients,
            time,
            apart,
        };
        let mut rows = vec![row("", all, to_best, None)];
        if !mean.is_empty() {
            let apart = (!apart.is_empty()).then(|| apart.iter().sum::<f64>() / apart.len() as f64);
            rows.push(row(": another", first, to_end, apart));
            rows.push(row(": mean of others", mean, to_end, None));
        }
        Ok(rows)
    }
}

fn average(pictures: &[Vec<u8>]) -> Vec<u8> {
    let mean = |i: usize| {
        let sum: u32 = pictures.iter().map(|picture| u32::from(picture[i])).sum();
        (f64::from(sum) / pictures.len() as f64).round() as u8
    };
    (0..pictures[0].len()).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_are_rounded() {
        assert_eq!(average(&[vec![0, 10], vec![1, 20]]), [1, 15]);
    }
}
