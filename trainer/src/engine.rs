//! What a model does, on any device, in plain numbers: commands are written against this, and compiled once.

use std::cell::OnceCell;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use burn::tensor::Tensor;
use shared::edit::inpaint::{Free, Inpainting, Mask, Phase, Wish};
use shared::edit::{mix, receptive};
use shared::logit::{middles, to_pixels};
use shared::train::TrainBackend;
use shared::weights::{AnyModelFile, ModelFile};
use shared::{EncodedByLevel, Flow, FlowBackend, ImageFlow};

use crate::data::ImageSet;
use crate::device::{DeviceChoice, Job, dispatch};
use crate::drawing::Drawing;
use crate::error::{Error, Result};
use crate::evaluate::{Score, bits_by_level, bits_per_dim, sample_pictures};
use crate::progress::Progress;

/// Pictures on the device at once.
const BATCH: usize = 64;

/// Images in latent space.
pub struct Codes {
    /// One flat picture `[C, L, L]` after the other.
    pub latents: Vec<f32>,
    /// What each level adds to log p of each image given as logits, `[image][level]`, finest first.
    pub log_prob: Vec<Vec<f64>>,
}

/// Completions of images that all lack the same pixels.
pub struct Completed {
    /// The best completion of each image, planar `[C, L, L]`.
    pub best: Vec<Vec<u8>>,
    /// The other completions, image by image.
    pub others: Vec<Vec<u8>>,
    /// Latents that may differ from the given images', and how many there are.
    pub touched: (usize, usize),
    /// Gradients taken, and the time it took, up to the best completions.
    pub search: (u32, Duration),
    /// The same up to the end.
    pub whole: (u32, Duration),
}

/// What a model of either architecture does; pictures are flat `[C, L, L]`, one after the other.
pub trait Engine {
    /// Images as logits to latents.
    ///
    /// # Errors
    /// Numbers that are not a multiple of an image's.
    fn encode(&self, logits: &[f32]) -> Result<Codes>;

    /// Latents to images as logits.
    ///
    /// # Errors
    /// Numbers that are not a multiple of a picture's.
    fn decode(&self, latents: &[f32]) -> Result<Vec<f32>>;

    /// The level of each number of a flat latent picture, 0 the finest.
    fn latent_levels(&self) -> Vec<usize>;

    /// The first `count` samples of a seed, as planar pictures of bytes.
    ///
    /// # Errors
    /// [`Error::Diverged`] if a sample is not finite.
    fn sample(&self, seed: u64, count: u64, drawing: &Drawing) -> Result<Vec<Vec<u8>>>;

    /// Bits/dim of a set, by the importance-weighted bound of `draws` dequantisation samples.
    ///
    /// # Errors
    /// As [`bits_per_dim`].
    fn bits_per_dim(&self, images: &ImageSet, draws: u64) -> Result<Score>;

    /// Bits of each level's numbers of each image, `[image][level]`, finest first.
    ///
    /// # Errors
    /// As [`bits_by_level`].
    fn bits_by_level(&self, images: &ImageSet) -> Result<Vec<Vec<f64>>>;

    /// Completes pictures of bytes that all lack the pixels of the mask, by moving the latents that are `free`.
    ///
    /// # Errors
    /// Bytes that are not a multiple of a picture's, and a mask of another size.
    fn complete(&self, pictures: &[u8], mask: &Mask, free: &Free, wish: &Wish) -> Result<Completed>;
}

/// What only an RG-Flow does, whose latents have levels and places.
pub trait LevelEngine: Engine {
    /// The images after each inverse RG step, coarsest first.
    ///
    /// # Errors
    /// Numbers that are not a multiple of a picture's.
    fn progressive(&self, latents: &[f32]) -> Result<Vec<Vec<f32>>>;

    /// Latents of the mixes of two pictures of latents, for each Θ (eq. 9).
    ///
    /// # Errors
    /// Numbers that are not one picture each.
    fn mix(&self, coarse: &[f32], fine: &[f32]) -> Result<Vec<f32>>;

    /// Latents λ·a + (1 − λ)·b, for each λ.
    ///
    /// # Errors
    /// Numbers that are not one picture each.
    fn interpolate(&self, a: &[f32], b: &[f32], lambdas: &[f32]) -> Result<Vec<f32>>;

    /// Receptive fields (eq. 8) of some latents, `[places, L, L]`.
    ///
    /// # Errors
    /// Places outside the picture, and fields that are not finite.
    fn receptive_fields(&self, places: &[usize], samples: &[f32]) -> Result<Vec<f32>>;

    /// Strengths of all latents' receptive fields, `[C, L, L]`.
    ///
    /// # Errors
    /// Numbers that are not a multiple of a picture's, and strengths that are not finite.
    fn strengths(&self, samples: &[f32]) -> Result<Vec<f32>>;
}

/// Puts a model of either architecture on a device; `path` names it in errors.
///
/// # Errors
/// [`Error::Model`] if a tensor is missing, [`Error::Device`] if the device is not there.
pub fn open(file: AnyModelFile, path: &Path, device: DeviceChoice) -> Result<Box<dyn Engine>> {
    dispatch(device, Open { file, path })
}

/// The same for an RG-Flow.
///
/// # Errors
/// As [`open`].
pub fn open_levels(file: ModelFile, path: &Path, device: DeviceChoice) -> Result<Box<dyn LevelEngine>> {
    dispatch(device, OpenLevels { file, path })
}

struct Open<'a> {
    file: AnyModelFile,
    path: &'a Path,
}

impl Job for Open<'_> {
    type Output = Box<dyn Engine>;

    fn run<B: TrainBackend>(self, device: B::Device) -> Result<Self::Output> {
        let Self { file, path } = self;
        Ok(match file {
            AnyModelFile::RgFlow(file) => Box::new(rg_flow::<B>(file, path, device)?),
            AnyModelFile::RealNvp(file) => {
                let flow = file.to_flow::<B::InnerBackend>(&device).map_err(Error::model(path))?;
                Box::new(OnDevice::<B, _>::new(flow, AnyModelFile::RealNvp(file), path, device))
            }
        })
    }
}

struct OpenLevels<'a> {
    file: ModelFile,
    path: &'a Path,
}

impl Job for OpenLevels<'_> {
    type Output = Box<dyn LevelEngine>;

    fn run<B: TrainBackend>(self, device: B::Device) -> Result<Self::Output> {
        Ok(Box::new(rg_flow::<B>(self.file, self.path, device)?))
    }
}

fn rg_flow<B: TrainBackend>(
    file: ModelFile,
    path: &Path,
    device: B::Device,
) -> Result<OnDevice<B, Flow<B::InnerBackend>>> {
    let flow = file.clone().into_flow(&device).map_err(Error::model(path))?;
    Ok(OnDevice::new(flow, AnyModelFile::RgFlow(file), path, device))
}

struct OnDevice<B: TrainBackend, F> {
    flow: F,
    /// The flow with gradients is made from this when the first completion needs it.
    file: AnyModelFile,
    differentiable: OnceCell<Rc<dyn ImageFlow<B>>>,
    device: B::Device,
    path: String,
}

impl<B: TrainBackend, F> OnDevice<B, F> {
    fn new(flow: F, file: AnyModelFile, path: &Path, device: B::Device) -> Self {
        Self { flow, file, differentiable: OnceCell::new(), device, path: path.display().to_string() }
    }

    /// The library's error with the model's file.
    fn checked<T>(&self, result: shared::Result<T>) -> Result<T> {
        result.map_err(|source| Error::Model { file: self.path.clone(), source })
    }

    /// The numbers, if all are finite.
    fn finite(&self, what: &str, values: Vec<f32>) -> Result<Vec<f32>> {
        if values.iter().all(|value| value.is_finite()) {
            return Ok(values);
        }
        let problem = format!("{}: {what} is not finite", self.path);
        Err(Error::Diverged { problem, advice: "use a lower temperature or an earlier checkpoint".into() })
    }

    fn differentiable(&self) -> Result<Rc<dyn ImageFlow<B>>> {
        if let Some(flow) = self.differentiable.get() {
            return Ok(flow.clone());
        }
        let flow = Rc::from(self.checked(self.file.to_flow::<B>(&self.device))?);
        Ok(self.differentiable.get_or_init(|| flow).clone())
    }
}

impl<B: TrainBackend, F: ImageFlow<B::InnerBackend>> OnDevice<B, F> {
    fn tensor(&self, values: &[f32]) -> Result<Tensor<B::InnerBackend, 4>> {
        self.checked(self.flow.batch(values.to_vec(), &self.device))
    }

    fn chunks<'a>(&self, values: &'a [f32]) -> std::slice::Chunks<'a, f32> {
        values.chunks(BATCH * self.flow.dims())
    }
}

impl<B: TrainBackend> OnDevice<B, Flow<B::InnerBackend>> {
    /// The mean over samples of what each of them gives, one after the other, since each takes a while.
    fn mean(
        &self,
        what: &str,
        samples: &[f32],
        of: impl Fn(Tensor<B::InnerBackend, 4>) -> shared::Result<Tensor<B::InnerBackend, 3>>,
    ) -> Result<Vec<f32>> {
        let dims = self.flow.config().dims();
        let count = samples.len() / dims;
        if count < 2 {
            return Ok(numbers(self.checked(of(self.tensor(samples)?))?));
        }
        let progress = Progress::new(what, count);
        let mut sum: Vec<f32> = Vec::new();
        for sample in samples.chunks(dims) {
            let one = numbers(self.checked(of(self.tensor(sample)?))?);
            sum.resize(one.len(), 0.0);
            sum.iter_mut().zip(one).for_each(|(sum, one)| *sum += one);
            progress.add(1);
        }
        Ok(sum.into_iter().map(|sum| sum / count as f32).collect())
    }
}

fn numbers<B: FlowBackend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

impl<B: TrainBackend, F: ImageFlow<B::InnerBackend>> Engine for OnDevice<B, F> {
    fn encode(&self, logits: &[f32]) -> Result<Codes> {
        let mut codes = Codes { latents: Vec::with_capacity(logits.len()), log_prob: Vec::new() };
        let progress = Progress::new("images encoded", logits.len() / self.flow.dims());
        for chunk in self.chunks(logits) {
            let EncodedByLevel { latents, log_prob } = self.flow.forward_by_level(self.tensor(chunk)?);
            let levels = log_prob.dims()[1];
            let parts: Vec<f64> = log_prob.into_data().iter::<f64>().collect();
            codes.latents.extend(numbers(latents));
            codes.log_prob.extend(parts.chunks_exact(levels).map(<[f64]>::to_vec));
            progress.set(codes.log_prob.len());
        }
        Ok(codes)
    }

    fn decode(&self, latents: &[f32]) -> Result<Vec<f32>> {
        let mut logits = Vec::with_capacity(latents.len());
        let progress = Progress::new("images generated", latents.len() / self.flow.dims());
        for chunk in self.chunks(latents) {
            logits.extend(numbers(self.flow.inverse(self.tensor(chunk)?).0));
            progress.set(logits.len() / self.flow.dims());
        }
        Ok(logits)
    }

    fn latent_levels(&self) -> Vec<usize> {
        self.flow.latent_levels()
    }

    fn sample(&self, seed: u64, count: u64, drawing: &Drawing) -> Result<Vec<Vec<u8>>> {
        sample_pictures::<B::InnerBackend>(&self.flow, seed, 0..count, drawing, &self.device)
    }

    fn bits_per_dim(&self, images: &ImageSet, draws: u64) -> Result<Score> {
        bits_per_dim::<B::InnerBackend>(&self.flow, images, draws, &self.device)
    }

    fn bits_by_level(&self, images: &ImageSet) -> Result<Vec<Vec<f64>>> {
        bits_by_level::<B::InnerBackend>(&self.flow, images, &self.device)
    }

    fn complete(&self, pictures: &[u8], mask: &Mask, free: &Free, wish: &Wish) -> Result<Completed> {
        let flow = self.differentiable()?;
        let start = Instant::now();
        let images = middles(pictures);
        let mut inpainting =
            self.checked(Inpainting::new(flow, images, mask, free.clone(), wish.clone(), &self.device))?;
        let progress = Progress::new("gradients of the completions", inpainting.progress().1 as usize);
        let step = |inpainting: &mut Inpainting<B>| {
            progress.set(inpainting.progress().0 as usize);
            inpainting.step()
        };
        while inpainting.phase() == Phase::Best && step(&mut inpainting) {}
        let best = inpainting.images().iter().map(|image| to_pixels(image)).collect();
        let search = (inpainting.progress().0, start.elapsed());
        while step(&mut inpainting) {}
        let others = inpainting.others().iter().map(|image| to_pixels(image)).collect();
        let whole = (inpainting.progress().0, start.elapsed());
        Ok(Completed { best, others, touched: inpainting.touched(), search, whole })
    }
}

impl<B: TrainBackend> LevelEngine for OnDevice<B, Flow<B::InnerBackend>> {
    fn progressive(&self, latents: &[f32]) -> Result<Vec<Vec<f32>>> {
        let mut steps = vec![Vec::new(); self.flow.config().level_count()];
        for chunk in self.chunks(latents) {
            let images = self.flow.progressive(self.tensor(chunk)?);
            steps.iter_mut().zip(images).for_each(|(all, (image, _))| all.extend(numbers(image)));
        }
        Ok(steps)
    }

    fn mix(&self, coarse: &[f32], fine: &[f32]) -> Result<Vec<f32>> {
        let (coarse, fine) = (self.tensor(coarse)?, self.tensor(fine)?);
        Ok(numbers(self.checked(mix::all_levels(self.flow.config(), coarse, fine))?))
    }

    fn interpolate(&self, a: &[f32], b: &[f32], lambdas: &[f32]) -> Result<Vec<f32>> {
        let (a, b) = (self.tensor(a)?, self.tensor(b)?);
        Ok(numbers(self.checked(mix::interpolate(self.flow.config(), a, b, lambdas))?))
    }

    fn receptive_fields(&self, places: &[usize], samples: &[f32]) -> Result<Vec<f32>> {
        let fields = self.mean("receptive fields, samples averaged", samples, |sample| {
            receptive::receptive_fields(&self.flow, places, sample)
        })?;
        self.finite("a receptive field", fields)
    }

    fn strengths(&self, samples: &[f32]) -> Result<Vec<f32>> {
        let of = |sample| receptive::strengths(&self.flow, sample);
        let strengths = self.mean("strengths of all latents, samples averaged", samples, of)?;
        self.finite("a strength", strengths)
    }
}
