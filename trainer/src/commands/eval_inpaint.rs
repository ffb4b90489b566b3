//! `trainer eval-inpaint`.

use std::rc::Rc;
use std::time::{Duration, Instant};

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shared::ImageFlow;
use shared::edit::inpaint::{Inpainting, Mask, Variables};

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
    let models = args.models.iter().map(|path| super::model::load(path)).collect::<Result<Vec<_>>>()?;
    let (size, channels) = (models[0].file.config.size, models[0].file.config.channels);
    if let Some((path, _)) = args.models.iter().zip(&models).find(|(_, m)| m.file.config.size != size) {
        let problem = "its images are of another size than the first model's";
        return Err(Error::usage(path.display().to_string(), problem, "compare models of one size"));
    }
    let test = super::load(&args.data, size)?.test;
    let images = test.subset(&(0..args.images.min(test.len())).collect::<Vec<_>>())?;
    let holes = holes(size, args.hole, images.len().div_ceil(BATCH), args.search.seed)?;
    let each = |f: &dyn Fn(&[u8], &Mask) -> Vec<u8>| -> Vec<Vec<u8>> {
        images.iter().enumerate().map(|(i, image)| f(image, &holes[i / BATCH])).collect()
    };
    println!("{:<44} {:>14} {:>12} {:>6} {:>8}", "completed by", "PSNR", "latents", "steps", "seconds");
    let mut rows = vec![Row::model_free("smooth fill, without a model", each(&smooth))];
    rows[0].print(&images, &holes);
    for (path, loaded) in args.models.iter().zip(&models) {
        let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let job = Complete { args: &args, loaded, name: &name, images: &images, holes: &holes };
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
    loaded: &'a super::model::Loaded,
    name: &'a str,
    images: &'a ImageSet,
    holes: &'a [Mask],
}

impl Job for Complete<'_> {
    type Output = Vec<Row>;

    fn run<B: TrainBackend>(self, device: B::Device) -> Result<Vec<Row>> {
        let flow: Rc<dyn ImageFlow<B>> =
            Rc::new(super::model::flow::<B>(self.loaded, self.args.models[0].as_path(), &device)?);
        let own = self.complete::<B>(&flow, "most likely", |_| Variables::Pixels, &device)?;
        let mut rows = own;
        if std::env::var("X_LATENTS").is_ok() {
            let cone = |mask: &Mask| Variables::Latents(flow.reached_latents(&mask.pixels()));
            rows.extend(self.complete::<B>(&flow, "latents", cone, &device)?);
        }
        Ok(rows)
    }
}

impl Complete<'_> {
    /// The most likely completions and, if asked for, the mean of each image's samples.
    fn complete<B: TrainBackend>(
        &self,
        flow: &Rc<dyn ImageFlow<B>>,
        how: &str,
        variables: impl Fn(&Mask) -> Variables,
        device: &B::Device,
    ) -> Result<Vec<Row>> {
        let fail = |source| Error::Model { file: self.name.into(), source };
        let schedule = self.args.search.schedule();
        let (mut best, mut first, mut mean) = (Vec::new(), Vec::new(), Vec::new());
        let (mut touched, mut total) = (0, 0);
        let (mut search, mut whole) = (Duration::ZERO, Duration::ZERO);
        for (pixels, mask) in self.images.pixels().chunks(BATCH * self.images.image_len()).zip(self.holes) {
            let start = Instant::now();
            let mut inpainting =
                Inpainting::new(flow.clone(), logits(pixels), mask, variables(mask), schedule.clone(), device)
                    .map_err(fail)?;
            let count = pixels.len() / self.images.image_len();
            touched += count * inpainting.touched().0;
            total = inpainting.touched().1;
            while inpainting.progress().0 < schedule.search && inpainting.step() {}
            best.extend(pictures(inpainting.image()));
            search += start.elapsed();
            while inpainting.step() {}
            if let Some(samples) = inpainting.samples() {
                let samples = pictures(samples);
                for chains in samples.chunks_exact(schedule.chains) {
                    first.push(chains[0].clone());
                    let average = |i: usize| {
                        let sum: u32 = chains.iter().map(|c| u32::from(c[i])).sum();
                        (f64::from(sum) / chains.len() as f64).round() as u8
                    };
                    mean.push((0..chains[0].len()).map(average).collect());
                }
            }
            whole += start.elapsed();
        }
        let latents = Some((touched as f64 / self.images.len() as f64, total));
        let row = |what: &str, completed, steps, time| Row {
            name: format!("{}, {how}{what}", self.name),
            completed,
            latents,
            steps,
            time,
        };
        let mut rows = vec![row("", best, schedule.search, search)];
        if !mean.is_empty() {
            let steps = schedule.search + schedule.sampling;
            rows.push(row(", a sample", first, steps, whole));
            rows.push(row(", mean of samples", mean, steps, whole));
        }
        Ok(rows)
    }
}
