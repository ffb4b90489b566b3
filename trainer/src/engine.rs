//! A model on whichever device, spoken to in plain numbers: commands are written against this, and compiled once.

use std::path::Path;

use burn::tensor::Tensor;
use image::RgbImage;
use shared::edit::{mix, receptive};
use shared::prior::draw_latents;
use shared::weights::{Card, ModelFile};
use shared::{Encoded, Flow, FlowBackend, RgFlowConfig, Temperature, logit};

use crate::cli::TemperatureArgs;
use crate::commands::model::{self, Loaded};
use crate::data::{read_picture, to_grey};
use crate::device::{DeviceChoice, Job, TrainBackend, dispatch};
use crate::drawing::{Drawing, Joint};
use crate::error::{Error, Result};
use crate::sheet::picture_of;

/// Pictures on the device at once.
const BATCH: usize = 64;

/// What images are in latent space.
pub struct Codes {
    /// One flat picture `[C, L, L]` after the other.
    pub latents: Vec<f32>,
    /// log p of each image, given as logits.
    pub log_prob: Vec<f64>,
}

/// The model's abilities; pictures are flat `[C, L, L]`, one after the other.
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

struct OnDevice<B: FlowBackend> {
    flow: Flow<B>,
    device: B::Device,
    file: String,
}

impl<B: FlowBackend> OnDevice<B> {
    fn tensor(&self, values: &[f32]) -> Result<Tensor<B, 4>> {
        self.checked(self.flow.batch(values.to_vec(), &self.device))
    }

    /// The library's error with the model's file.
    fn checked<T>(&self, result: shared::Result<T>) -> Result<T> {
        result.map_err(|source| Error::Model { file: self.file.clone(), source })
    }

    /// The numbers, if all are.
    fn finite(&self, what: &str, values: Vec<f32>) -> Result<Vec<f32>> {
        if values.iter().all(|value| value.is_finite()) {
            return Ok(values);
        }
        let problem = format!("{}: {what} is not finite", self.file);
        Err(Error::Diverged { problem, advice: "use a lower temperature or an earlier checkpoint".into() })
    }

    fn chunks<'a>(&self, values: &'a [f32]) -> std::slice::Chunks<'a, f32> {
        values.chunks(BATCH * self.flow.config().dims())
    }
}

fn numbers<B: FlowBackend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

impl<B: FlowBackend> Engine for OnDevice<B> {
    fn encode(&self, logits: &[f32]) -> Result<Codes> {
        let mut codes = Codes { latents: Vec::with_capacity(logits.len()), log_prob: Vec::new() };
        for chunk in self.chunks(logits) {
            let Encoded { latents, log_det } = self.flow.forward(self.tensor(chunk)?);
            let flat = latents.clone().flatten::<2>(1, 3);
            let log_prob = self.flow.config().prior.log_prob(flat) + log_det;
            codes.latents.extend(numbers(latents));
            codes.log_prob.extend(log_prob.into_data().iter::<f64>());
        }
        Ok(codes)
    }

    fn decode(&self, latents: &[f32]) -> Result<Vec<f32>> {
        let mut logits = Vec::with_capacity(latents.len());
        for chunk in self.chunks(latents) {
            logits.extend(numbers(self.flow.inverse(self.tensor(chunk)?).0));
        }
        Ok(logits)
    }

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
        let fields = self.checked(receptive::receptive_fields(&self.flow, places, self.tensor(samples)?))?;
        self.finite("a receptive field", numbers(fields))
    }

    fn strengths(&self, samples: &[f32]) -> Result<Vec<f32>> {
        let strengths = self.checked(receptive::strengths(&self.flow, self.tensor(samples)?))?;
        self.finite("a strength", numbers(strengths))
    }
}

/// An opened model.
pub struct Model {
    /// Its architecture.
    pub config: RgFlowConfig,
    /// Its card.
    pub card: Card,
    /// Its abilities.
    pub engine: Box<dyn Engine>,
    joint: Option<Joint>,
    file: String,
}

struct Open<'a> {
    loaded: &'a Loaded,
    path: &'a Path,
}

impl Job for Open<'_> {
    type Output = Box<dyn Engine>;

    fn run<B: TrainBackend>(self, device: B::Device) -> Result<Self::Output> {
        let flow = model::flow::<B::InnerBackend>(self.loaded, self.path, &device)?;
        Ok(Box::new(OnDevice { flow, device, file: self.path.display().to_string() }))
    }
}

impl Model {
    /// Opens a weights file, a checkpoint or a run's folder.
    ///
    /// # Errors
    /// A model that cannot be read, a device that does not answer.
    pub fn open(path: &Path, device: DeviceChoice) -> Result<Self> {
        let loaded = model::load(path)?;
        let engine = dispatch(device, Open { loaded: &loaded, path })?;
        let joint = Joint::of(&loaded.file);
        let ModelFile { config, card, .. } = loaded.file;
        Ok(Self { config, card, engine, joint, file: path.display().to_string() })
    }

    /// Latents of the samples 0 to `count` of a seed.
    pub fn draw(&self, seed: u64, count: u64, temperature: &Temperature) -> Vec<f32> {
        (0..count).flat_map(|i| draw_latents(&self.config, seed, i, temperature)).collect()
    }

    /// Latents of the samples 0 to `count` of a seed, drawn as the command line says.
    ///
    /// # Errors
    /// A sampler that was fit for a model of another size.
    pub fn samples(&self, seed: u64, count: u64, args: &TemperatureArgs) -> Result<Vec<f32>> {
        Drawing::new(self.joint.clone(), &self.card, args).latents(&self.config, seed, count)
    }

    /// Reads pictures as logits, each value the middle of its cell, with the transform's log-determinants.
    ///
    /// # Errors
    /// A file that is no picture.
    pub fn read(&self, files: &[impl AsRef<Path>]) -> Result<Vec<(Vec<f32>, f32)>> {
        let RgFlowConfig { channels, size, .. } = self.config;
        if ![1, 3].contains(&channels) {
            let problem = format!("a model of {channels} channels takes no picture files");
            return Err(Error::usage(&self.file, problem, "use one of colour images, or of grey ones"));
        }
        let one = |file: &Path| {
            let picture = read_picture(file, size)?;
            let picture = if channels == 1 { to_grey(&picture, size * size) } else { picture };
            Ok(logit::image_to_logit(&picture, || 0.5))
        };
        files.iter().map(|file| one(file.as_ref())).collect()
    }

    /// Latents of picture files, one flat picture after the other.
    ///
    /// # Errors
    /// A file that is no picture.
    pub fn latents_of(&self, files: &[impl AsRef<Path>]) -> Result<Vec<f32>> {
        let logits: Vec<f32> = self.read(files)?.into_iter().flat_map(|(logits, _)| logits).collect();
        Ok(self.engine.encode(&logits)?.latents)
    }

    /// Images given as logits, `[C, edge, edge]` each, as pictures.
    ///
    /// # Errors
    /// [`Error::Diverged`] if one is not finite.
    pub fn pictures(&self, logits: &[f32], edge: usize) -> Result<Vec<RgbImage>> {
        if logits.iter().any(|y| !y.is_finite()) {
            let problem = format!("{}: an image has numbers that are not finite", self.file);
            return Err(Error::Diverged { problem, advice: "use a lower temperature or an earlier checkpoint".into() });
        }
        let channels = self.config.channels;
        let picture = |logits: &[f32]| {
            let bytes: Vec<u8> = logits.iter().map(|&y| logit::to_pixel(y)).collect();
            picture_of(&bytes, edge, channels)
        };
        Ok(logits.chunks_exact(channels * edge * edge).map(picture).collect())
    }

    /// The pictures that latents generate.
    ///
    /// # Errors
    /// As [`Model::pictures`].
    pub fn paint(&self, latents: &[f32]) -> Result<Vec<RgbImage>> {
        self.pictures(&self.engine.decode(latents)?, self.config.size)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use shared::RgFlow;
    use shared::weights::Precision;

    /// A model with random parameters in a file.
    pub fn random_model(folder: &Path) -> Model {
        type Cpu = burn::backend::Flex;
        let config = RgFlowConfig::tiny();
        let model = RgFlow::<Cpu>::random(&config, 0.15, 4, &Default::default()).unwrap();
        let bytes = ModelFile::from_model(&model, Card::default()).to_bytes(Precision::F32).unwrap();
        let path = folder.join("model.safetensors");
        std::fs::write(&path, bytes).unwrap();
        Model::open(&path, DeviceChoice::Cpu).unwrap()
    }

    #[test]
    fn pictures_go_to_latents_and_back_whatever_the_batch() {
        let dir = tempfile::tempdir().unwrap();
        let model = random_model(dir.path());
        let dims = model.config.dims();
        let logits = model.draw(3, 70, &Temperature::uniform(1.0));
        let codes = model.engine.encode(&logits).unwrap();
        assert_eq!((codes.latents.len(), codes.log_prob.len()), (70 * dims, 70));
        let back = model.engine.decode(&codes.latents).unwrap();
        assert!(back.iter().zip(&logits).all(|(a, b)| (a - b).abs() < 1e-4));
        let steps = model.engine.progressive(&codes.latents).unwrap();
        assert_eq!(steps.iter().map(Vec::len).collect::<Vec<_>>(), [70 * 48, 70 * 192, 70 * 768]);
        assert!(steps[2].iter().zip(&back).all(|(a, b)| (a - b).abs() < 1e-5));
        assert_eq!(model.paint(&codes.latents[..dims]).unwrap(), model.pictures(&logits[..dims], 16).unwrap());
        assert!(model.engine.encode(&logits[1..]).is_err());
        assert!(model.pictures(&[f32::NAN; 768], 16).is_err());
    }

    #[test]
    fn strengths_are_the_totals_of_the_fields() {
        let dir = tempfile::tempdir().unwrap();
        let model = random_model(dir.path());
        let samples = model.draw(3, 2, &Temperature::uniform(1.0));
        let strengths = model.engine.strengths(&samples).unwrap();
        let fields = model.engine.receptive_fields(&[0, 17], &samples).unwrap();
        for (place, field) in [0, 17].into_iter().zip(fields.chunks_exact(256)) {
            assert!((field.iter().sum::<f32>() - strengths[place]).abs() < 1e-3 * strengths[place]);
        }
        let wild = vec![f32::NAN; 768];
        for error in
            [model.engine.strengths(&wild).unwrap_err(), model.engine.receptive_fields(&[0], &wild).unwrap_err()]
        {
            assert!(error.to_string().contains("lower temperature"), "{error}");
        }
    }
}
