//! `trainer eval-inpaint`.

use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shared::ImageFlow;
use shared::edit::inpaint::{Inpainting, Mask, Phase, Variables};
use shared::geometry::inference_cone;
use shared::weights::AnyModelFile;

use super::model::Loaded;

use crate::cli::EvalInpaintArgs;
use crate::completion::{hole_psnr, logits, marked, pictures, smooth};
use crate::data::ImageSet;
use crate::device::{Job, TrainBackend, dispatch};
use crate::error::{Error, Result};
use crate::sheet;

/// Images completed at once, with the same hole.
const BATCH: usize = 8;

/// Completes test images with every model, and prints a table.
///
/// # Errors
/// Models or data that cannot be read, and a hole that leaves nothing.
pub fn run(args: EvalInpaintArgs) -> Result<()> {
    let models = args.models.iter().map(|path| super::model::load_any(path)).collect::<Result<Vec<_>>>()?;
    let shape = |model: &Loaded<AnyModelFile>| model.file.config().image_shape();
    let [channels, size] = models.first().map(shape).unwrap_or_default();
    if let Some((path, _)) = args.models.iter().zip(&models).find(|(_, model)| shape(model) != [channels, size]) {
        let problem = "its images are of another size than the first model's";
        return Err(Error::usage(path.display().to_string(), problem, "compare models of one size"));
    }
    let test = super::load_test(&args.data, [channels, size])?.images;
    let images = test.subset(&(0..args.images.min(test.len())).collect::<Vec<_>>())?;
    let holes = holes(size, args.hole, images.len().div_ceil(BATCH), args.search.seed)?;
    let each = |f: &dyn Fn(&[u8], &Mask) -> Vec<u8>| -> Vec<Vec<u8>> {
        images.iter().enumerate().map(|(i, image)| f(image, &holes[i / BATCH])).collect()
    };
    println!("{:<44} {:>14} {:>12} {:>6} {:>8}", "completed by", "PSNR", "latents", "steps", "seconds");
    let mut rows = vec![Row::model_free("smooth fill, without a model", each(&smooth))];
    rows[0].print(&images, &holes);
    // As many latents as the last model before with a cone has in it, for each hole.
    let mut allowed = Vec::new();
    for (path, loaded) in args.models.iter().zip(&models) {
        if let AnyModelFile::RgFlow(file) = &loaded.file {
            let latents = |mask: &Mask| {
                let cone = inference_cone(&file.config, &mask.pixels());
                channels * cone.iter().map(|level| level.latents.len()).sum::<usize>()
            };
            allowed = holes.iter().map(latents).collect();
        }
        let job = Complete { args: &args, loaded, path, images: &images, holes: &holes, allowed: &allowed };
        for row in dispatch(args.device.device, job)? {
            row.print(&images, &holes);
            rows.push(row);
        }
    }
    if let Some(out) = &args.out {
        let columns = images.len().min(2 * BATCH);
        let mut shown: Vec<Vec<u8>> = images.iter().take(columns).map(<[u8]>::to_vec).collect();
        shown.extend(each(&marked).into_iter().take(columns));
        rows.iter().for_each(|row| shown.extend(row.completed.iter().take(columns).cloned()));
        sheet::save(&sheet::sheet(&shown, size, channels, columns, 3), out)?;
        println!("{}: the images, what was given of them, then a row for each line above", out.display());
    }
    Ok(())
}

/// Square holes at random places.
fn holes(size: usize, edge: usize, count: usize, seed: u64) -> Result<Vec<Mask>> {
    if edge == 0 || edge >= size {
        return Err(Error::usage("--hole", format!("an edge of {edge} pixels"), format!("use 1 to {}", size - 1)));
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut place = || rng.next_u32() as usize % (size - edge + 1);
    let hole = |_| Mask::square(size, place(), place(), edge);
    let fail = |source| Error::Model { file: "--hole".into(), source };
    (0..count).map(hole).collect::<shared::Result<_>>().map_err(fail)
}

/// One line of the table.
struct Row {
    name: String,
    completed: Vec<Vec<u8>>,
    /// Of how many.
    latents: Option<(f64, usize)>,
    steps: u32,
    time: Duration,
}

impl Row {
    fn model_free(name: &str, completed: Vec<Vec<u8>>) -> Self {
        Self { name: name.into(), completed, latents: None, steps: 0, time: Duration::ZERO }
    }

    fn print(&self, images: &ImageSet, holes: &[Mask]) {
        let psnr = |(i, (truth, completed)): (usize, (&[u8], &Vec<u8>))| hole_psnr(truth, completed, &holes[i / BATCH]);
        let each: Vec<f64> = images.iter().zip(&self.completed).enumerate().map(psnr).collect();
        let n = each.len() as f64;
        let mean = each.iter().sum::<f64>() / n;
        let error = (each.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0) / n).sqrt();
        let latents = self.latents.map_or("-".into(), |(touched, total)| format!("{touched:.0} of {total}"));
        let (steps, seconds) = (self.steps, self.time.as_secs_f64() / n);
        println!("{:<44} {mean:>7.2} ± {error:.2} {latents:>14} {steps:>6} {seconds:>8.2}", self.name);
    }
}

struct Complete<'a> {
    args: &'a EvalInpaintArgs,
    loaded: &'a Loaded<AnyModelFile>,
    path: &'a Path,
    images: &'a ImageSet,
    holes: &'a [Mask],
    /// Latents that a model without cones may move to be compared, for each hole; empty for no comparison.
    allowed: &'a [usize],
}

impl Job for Complete<'_> {
    type Output = Vec<Row>;

    fn run<B: TrainBackend>(self, device: B::Device) -> Result<Vec<Row>> {
        let flow = Rc::from(super::model::any_flow::<B>(self.loaded, self.path, &device)?);
        let mut rows = self.complete::<B>(&flow, "", |_| Variables::Pixels, &device)?;
        if matches!(self.loaded.file, AnyModelFile::RealNvp(_)) && !self.allowed.is_empty() {
            let some = |hole: usize| Variables::Latents(self.some(flow.dims(), hole));
            rows.extend(self.complete::<B>(&flow, ", held to some latents", some, &device)?);
        }
        Ok(rows)
    }
}

impl Complete<'_> {
    /// Latents picked at random, as the paper does.
    fn some(&self, dims: usize, hole: usize) -> Vec<usize> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.args.search.seed);
        rng.set_stream(hole as u64);
        let mut picked = rand::seq::index::sample(&mut rng, dims, self.allowed[hole].min(dims)).into_vec();
        picked.sort_unstable();
        picked
    }

    /// The most likely completions and, if asked for, one sample of each image and the mean of all.
    fn complete<B: TrainBackend>(
        &self,
        flow: &Rc<dyn ImageFlow<B>>,
        how: &str,
        variables: impl Fn(usize) -> Variables,
        device: &B::Device,
    ) -> Result<Vec<Row>> {
        let fail = |source| Error::Model { file: self.path.display().to_string(), source };
        let name = self.path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default() + how;
        let schedule = self.args.search.schedule();
        let image_len = self.images.image_len();
        let [mut best, mut first, mut mean] = [const { Vec::new() }; 3];
        let (mut touched, mut total) = (0, 0);
        let (mut search, mut whole) = (Duration::ZERO, Duration::ZERO);
        for (hole, pixels) in self.images.pixels().chunks(BATCH * image_len).enumerate() {
            let start = Instant::now();
            let (images, mask) = (logits(pixels), &self.holes[hole]);
            let mut inpainting =
                Inpainting::new(flow.clone(), images, mask, variables(hole), schedule.clone(), device).map_err(fail)?;
            touched += pixels.len() / image_len * inpainting.touched().0;
            total = inpainting.touched().1;
            while inpainting.phase() == Phase::Search && inpainting.step() {}
            best.extend(pictures(inpainting.image()));
            search += start.elapsed();
            while inpainting.step() {}
            let samples = inpainting.samples().map(pictures).unwrap_or_default();
            for chains in samples.chunks_exact(schedule.chains.max(1)) {
                first.push(chains[0].clone());
                mean.push(average(chains));
            }
            whole += start.elapsed();
        }
        let latents = Some((touched as f64 / self.images.len() as f64, total));
        let row =
            |what: &str, completed, steps, time| Row { name: format!("{name}{what}"), completed, latents, steps, time };
        let mut rows = vec![row("", best, schedule.search, search)];
        if !mean.is_empty() {
            let steps = schedule.search + schedule.sampling;
            rows.push(row(": a sample", first, steps, whole));
            rows.push(row(": mean of samples", mean, steps, whole));
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
    fn holes_lie_inside_and_move() {
        let holes = holes(16, 5, 12, 3).unwrap();
        assert!(holes.iter().all(|hole| hole.pixels().len() == 25));
        assert!(holes.iter().any(|hole| hole != &holes[0]));
        for edge in [0, 16] {
            assert!(super::holes(16, edge, 1, 0).unwrap_err().to_string().contains("--hole"));
        }
    }

    #[test]
    fn averages_are_rounded() {
        assert_eq!(average(&[vec![0, 10], vec![1, 20]]), [1, 15]);
    }
}
