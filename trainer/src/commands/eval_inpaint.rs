//! `trainer eval-inpaint`.

use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use shared::ImageFlow;
use shared::edit::inpaint::{Free, Inpainting, Mask, Phase, Wish};
use shared::weights::AnyModelFile;

use super::model::Loaded;

use crate::cli::EvalInpaintArgs;
use crate::completion::{HOLES, bytes, hole_distance, hole_psnr, logits, marked, smooth};
use crate::data::ImageSet;
use crate::device::{Job, TrainBackend, dispatch};
use crate::error::{Error, Result};
use crate::output::say;
use crate::pca::Pca;
use crate::sheet;

/// Images completed at once.
const BATCH: usize = 16;
/// Images on a sheet.
const SHOWN: usize = 16;
/// The linear model to compare with: its components, and the training images that they are found in.
const COMPONENTS: usize = 64;
const PCA_IMAGES: usize = 4000;

/// Completes test images with every model, and prints a table for each hole.
///
/// # Errors
/// Models or data that cannot be read, and sheets that cannot be written.
pub fn run(args: EvalInpaintArgs) -> Result<()> {
    let models = args.models.iter().map(|path| super::model::load_any(path)).collect::<Result<Vec<_>>>()?;
    let shape = |model: &Loaded<AnyModelFile>| model.file.config().image_shape();
    let [channels, size] = models.first().map(shape).unwrap_or_default();
    if let Some((path, _)) = args.models.iter().zip(&models).find(|(_, model)| shape(model) != [channels, size]) {
        let problem = "its images are of another size than the first model's";
        return Err(Error::usage(path.display().to_string(), problem, "compare models of one size"));
    }
    if let Some(out) = &args.out {
        super::keep_apart(args.data.name(), args.data.test_data.as_deref(), out)?;
    }
    let data = super::load(&args.data, [channels, size])?;
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
        for (number, (path, loaded)) in args.models.iter().zip(&models).enumerate() {
            let mut wish = args.wish.wish(loaded.file.card());
            if number > 0 {
                wish.others = 0;
            }
            let job = Complete { wish, loaded, path, images: &images, mask: &mask, allowed };
            let (cone, completed) = dispatch(args.device.device, job)?;
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
            super::folder(out)?;
            let out = out.join(format!("{name}.png"));
            sheet::save(&sheet::sheet(&shown, size, channels, columns, 3), &out)?;
            say!("{}: the images, what was given of them, then a row for each line above", out.display())?;
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

struct Complete<'a> {
    wish: Wish,
    loaded: &'a Loaded<AnyModelFile>,
    path: &'a Path,
    images: &'a ImageSet,
    mask: &'a Mask,
    /// Latents that a model without cones may move, to be compared.
    allowed: Option<usize>,
}

impl Job for Complete<'_> {
    /// Latents in the hole's cone, if the model has cones, and lines of the table.
    type Output = (Option<usize>, Vec<Row>);

    fn run<B: TrainBackend>(self, device: B::Device) -> Result<Self::Output> {
        let flow: Rc<dyn ImageFlow<B>> = Rc::from(super::model::any_flow::<B>(self.loaded, self.path, &device)?);
        if matches!(self.loaded.file, AnyModelFile::RgFlow(_)) {
            let rows = self.complete::<B>(&flow, "", &Free::Coarse, &device)?;
            let cone = rows.first().and_then(|row| row.latents).map(|(touched, _)| touched);
            return Ok((cone, rows));
        }
        let all = Free::Places((0..flow.dims()).collect());
        let mut rows = self.complete::<B>(&flow, ", all latents", &all, &device)?;
        if let Some(allowed) = self.allowed {
            let some = Free::Places(self.some(flow.dims(), allowed));
            rows.extend(self.complete::<B>(&flow, ", some latents", &some, &device)?);
        }
        Ok((None, rows))
    }
}

impl Complete<'_> {
    /// Latents picked at random, as the paper does.
    fn some(&self, dims: usize, count: usize) -> Vec<usize> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.wish.seed);
        let mut picked = rand::seq::index::sample(&mut rng, dims, count.min(dims)).into_vec();
        picked.sort_unstable();
        picked
    }

    /// The best completions and, if asked for, one of the others of each image and the mean of them.
    fn complete<B: TrainBackend>(
        &self,
        flow: &Rc<dyn ImageFlow<B>>,
        how: &str,
        free: &Free,
        device: &B::Device,
    ) -> Result<Vec<Row>> {
        let fail = |source| Error::Model { file: self.path.display().to_string(), source };
        let name = self.path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default() + how;
        let [mut best, mut first, mut mean] = [const { Vec::new() }; 3];
        let mut latents = None;
        let (mut search, mut whole) = (Duration::ZERO, Duration::ZERO);
        let mut gradients = (0, 0);
        let mut apart = Vec::new();
        for pixels in self.images.pixels().chunks(BATCH * self.images.image_len()) {
            let start = Instant::now();
            let images = logits(pixels);
            let wish = self.wish.clone();
            let mut inpainting =
                Inpainting::new(flow.clone(), images, self.mask, free.clone(), wish, device).map_err(fail)?;
            latents = Some(inpainting.touched());
            while inpainting.phase() == Phase::Best && inpainting.step() {}
            gradients.0 = inpainting.progress().0;
            best.extend(inpainting.images().iter().map(|image| bytes(image)));
            search += start.elapsed();
            while inpainting.step() {}
            gradients.1 = inpainting.progress().0;
            let others: Vec<Vec<u8>> = inpainting.others().iter().map(|image| bytes(image)).collect();
            for others in others.chunks_exact(self.wish.others.max(1)) {
                first.push(others[0].clone());
                mean.push(average(others));
                let pairs = others.iter().enumerate().flat_map(|(i, a)| others[..i].iter().map(move |b| (a, b)));
                apart.extend(pairs.map(|(a, b)| hole_distance(a, b, self.mask)));
            }
            whole += start.elapsed();
        }
        let row = |what: &str, completed, gradients, time, apart| Row {
            name: format!("{name}{what}"),
            completed,
            latents,
            gradients,
            time,
            apart,
        };
        let mut rows = vec![row("", best, gradients.0, search, None)];
        if !mean.is_empty() {
            let apart = (!apart.is_empty()).then(|| apart.iter().sum::<f64>() / apart.len() as f64);
            rows.push(row(": another", first, gradients.1, whole, apart));
            rows.push(row(": mean of others", mean, gradients.1, whole, None));
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
