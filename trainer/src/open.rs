//! Opening models: from a weights file, a checkpoint or a run's folder, onto a device.

use std::path::Path;

use image::RgbImage;
use shared::edit::receptive::leading;
use shared::prior::draw_latents;
use shared::weights::{AnyModelFile, Card, ModelFile};
use shared::{DataKind, ModelConfig, RgFlowConfig, Temperature, logit};

use crate::data::{read_picture, to_grey};
use crate::device::{Cpu, DeviceChoice};
use crate::drawing::Joint;
use crate::engine::{self, Engine, LevelEngine};
use crate::error::{Error, Result};
use crate::figures::figure::heat;
use crate::figures::sheet::picture_of;
use crate::files::read_limited;
use crate::output::aside;
use crate::train::best::{Which, chosen};
use crate::train::checkpoint::Run;
use crate::train::state::RunState;

/// Largest weights file: twice what the largest model takes.
const MAX_BYTES: u64 = 4 << 30;

/// What a file says about its model.
pub struct About {
    /// Its architecture.
    pub config: ModelConfig,
    /// Its card.
    pub card: Card,
    /// Where its training stands, if it is a checkpoint.
    pub state: Option<RunState>,
}

/// What a weights file, a checkpoint or a checkpoint of a run's folder says about its model.
/// A checkpoint's weights are not read.
///
/// # Errors
/// [`Error::Model`] or [`Error::Content`], with the file's name.
pub fn about(path: &Path, which: Which) -> Result<About> {
    let path = chosen(path, which)?;
    if is_checkpoint(&path) {
        let state = RunState::read(&path)?;
        return Ok(About { config: state.config.clone(), card: card_of(&state), state: Some(state) });
    }
    let file = read_weights(&path)?;
    Ok(About { config: file.config(), card: file.card().clone(), state: None })
}

/// Reads a model of either architecture from a weights file, a checkpoint or a run's folder, of which it says the step on
/// standard error.
///
/// # Errors
/// [`Error::Model`] or [`Error::Content`], with the file's name.
pub fn load(path: &Path, which: Which) -> Result<AnyModelFile> {
    let of_run = path.is_dir();
    let path = chosen(path, which)?;
    if !is_checkpoint(&path) {
        return read_weights(&path);
    }
    let run = Run::<Cpu>::load(&path, &Default::default())?;
    if of_run {
        aside(format_args!("{}: the checkpoint of step {}", path.display(), run.state.step));
    }
    Ok(AnyModelFile::from_model(&run.best(), card_of(&run.state)))
}

/// The same, of RG-Flows alone.
///
/// # Errors
/// As [`load`], and [`Error::Content`] for a model of another architecture.
pub fn load_rg_flow(path: &Path, which: Which) -> Result<ModelFile> {
    match load(path, which)? {
        AnyModelFile::RgFlow(file) => Ok(file),
        AnyModelFile::RealNvp(_) => {
            Err(Error::content(path.display(), "it is a Real NVP, which has no RG levels", "give an RG-Flow"))
        }
    }
}

/// The same, of RG-Flows of images alone.
///
/// # Errors
/// As [`load_rg_flow`], and [`Error::Content`] for a model of fields.
pub fn load_of_images(path: &Path, which: Which) -> Result<ModelFile> {
    let file = load_rg_flow(path, which)?;
    of_images(file.config.data, path)?;
    Ok(file)
}

/// The same model at another size, if one is asked for; `path` names it in errors.
///
/// # Errors
/// [`Error::Model`] or [`Error::Content`] if its levels do not make one of that size.
pub fn at_size(file: AnyModelFile, size: Option<usize>, path: &Path) -> Result<AnyModelFile> {
    let [_, own] = file.config().image_shape();
    match (file, size.filter(|&size| size != own)) {
        (file, None) => Ok(file),
        (AnyModelFile::RgFlow(file), Some(size)) => {
            Ok(AnyModelFile::RgFlow(file.grown(size).map_err(Error::model(path))?))
        }
        (AnyModelFile::RealNvp(_), Some(_)) => {
            Err(Error::content(path.display(), "a Real NVP has one size", "leave --size out, or give an RG-Flow"))
        }
    }
}

fn is_checkpoint(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "ckpt")
}

fn read_weights(path: &Path) -> Result<AnyModelFile> {
    let bytes = read_limited(path, MAX_BYTES)?;
    if image::guess_format(&bytes).is_ok() {
        return Err(Error::content(
            path.display(),
            "it is a picture, not a model",
            "give a weights file or a run's folder",
        ));
    }
    AnyModelFile::from_bytes(&bytes).map_err(Error::model(path))
}

/// A data set's name, or that of its file: a card is read by others, whom the rest of a path does not concern.
fn name_of(data: &str) -> &str {
    Path::new(data).file_name().and_then(|name| name.to_str()).unwrap_or(data)
}

/// The card of a run's model.
fn card_of(state: &RunState) -> Card {
    let recipe = &state.recipe;
    Card {
        dataset: state
            .earlier_data
            .iter()
            .chain([&state.data])
            .map(|data| name_of(data))
            .collect::<Vec<_>>()
            .join(", then "),
        licence: state.licence.clone().unwrap_or_default(),
        images_seen: state.images(),
        training: format!(
            "{}{} steps of {} images in {:.0} minutes; AdamW {}, weight decay {}, warm-up {}, {}, average {}, seed {}",
            state.from.as_ref().map(|from| format!("from {}: ", name_of(from))).unwrap_or_default(),
            state.step,
            recipe.batch,
            state.seconds / 60.0,
            recipe.learning_rate,
            recipe.weight_decay,
            recipe.warmup,
            if recipe.cosine { "cosine decay" } else { "constant rate" },
            recipe.ema,
            recipe.seed
        ),
        ..Card::default()
    }
}

/// A model of either architecture, on a device.
pub struct AnyModel {
    /// Its architecture.
    pub config: ModelConfig,
    /// Its card.
    pub card: Card,
    /// What draws its latents jointly, if it has been fitted.
    pub joint: Option<Joint>,
    /// What it does.
    pub engine: Box<dyn Engine>,
}

impl AnyModel {
    /// Opens a weights file, a checkpoint or a run's folder of a model of images.
    ///
    /// # Errors
    /// A model that cannot be read or is one of fields, a device that does not answer.
    pub fn open(path: &Path, which: Which, device: DeviceChoice) -> Result<Self> {
        let file = load(path, which)?;
        of_images(file.config().data(), path)?;
        Self::of(file, path, device)
    }

    /// The same, whatever the model's data are.
    ///
    /// # Errors
    /// A model that cannot be read, a device that does not answer.
    pub fn open_any(path: &Path, which: Which, device: DeviceChoice) -> Result<Self> {
        Self::of(load(path, which)?, path, device)
    }

    /// The model of a file in memory; `path` names it in errors.
    ///
    /// # Errors
    /// As [`engine::open`].
    pub fn of(file: AnyModelFile, path: &Path, device: DeviceChoice) -> Result<Self> {
        let (config, card, joint) = (file.config(), file.card().clone(), Joint::of_any(&file));
        Ok(Self { config, card, joint, engine: engine::open(file, path, device)? })
    }
}

/// An error for a model of fields, which has no pictures.
///
/// # Errors
/// [`Error::Content`] says which commands take such models.
pub fn of_images(kind: DataKind, path: &Path) -> Result<()> {
    if kind == DataKind::Images {
        return Ok(());
    }
    let advice =
        "`trainer physics`, `eval` and `receptive-fields` take such models; give this command a model of images";
    Err(Error::content(path.display(), "it is a model of fields, not of images", advice))
}

/// An RG-Flow, on a device.
pub struct Model {
    /// Its architecture.
    pub config: RgFlowConfig,
    /// Its card.
    pub card: Card,
    /// What draws its latents jointly, if it has been fitted.
    pub joint: Option<Joint>,
    /// What it does.
    pub engine: Box<dyn LevelEngine>,
    file: String,
}

impl Model {
    /// Opens a weights file, a checkpoint or a run's folder of a model of images.
    ///
    /// # Errors
    /// A model that cannot be read, is not an RG-Flow or is one of fields, a device that does not answer.
    pub fn open(path: &Path, which: Which, device: DeviceChoice) -> Result<Self> {
        Self::of(load_of_images(path, which)?, path, device)
    }

    /// The model of a file in memory; `path` names it in errors.
    ///
    /// # Errors
    /// As [`engine::open_levels`].
    pub fn of(file: ModelFile, path: &Path, device: DeviceChoice) -> Result<Self> {
        let (config, card, joint) = (file.config.clone(), file.card.clone(), Joint::of(&file));
        let engine = engine::open_levels(file, path, device)?;
        Ok(Self { config, card, joint, engine, file: path.display().to_string() })
    }

    /// Latents of the samples 0 to `count` of a seed.
    pub fn draw(&self, seed: u64, count: u64, temperature: &Temperature) -> Vec<f32> {
        (0..count).flat_map(|i| draw_latents(&self.config, seed, i, temperature)).collect()
    }

    /// Reads pictures as logits, each value the middle of its cell, with the transform's log-determinants.
    ///
    /// # Errors
    /// A file that is not a picture.
    pub fn read(&self, files: &[impl AsRef<Path>]) -> Result<Vec<(Vec<f32>, f32)>> {
        let RgFlowConfig { channels, size, .. } = self.config;
        if ![1, 3].contains(&channels) {
            let problem = format!("a model of {channels} channels cannot read image files");
            return Err(Error::usage(&self.file, problem, "use a model with 3 channels, or with 1 for greyscale"));
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
    /// A file that is not a picture.
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
            let problem = format!("{}: an image has values that are not finite", self.file);
            return Err(Error::Diverged { problem, advice: "use a lower temperature or an earlier checkpoint".into() });
        }
        let channels = self.config.channels;
        let picture = |logits: &[f32]| picture_of(&logit::to_pixels(logits), edge, channels);
        Ok(logits.chunks_exact(channels * edge * edge).map(picture).collect())
    }

    /// The pictures that latents generate.
    ///
    /// # Errors
    /// As [`Model::pictures`].
    pub fn paint(&self, latents: &[f32]) -> Result<Vec<RgbImage>> {
        self.pictures(&self.engine.decode(latents)?, self.config.size)
    }

    /// The places of a level's latents whose receptive fields are strongest, strongest first.
    ///
    /// # Errors
    /// [`Error::Model`] for a level that the model does not have.
    pub fn leading(&self, strengths: &[f32], level: usize, count: usize) -> Result<Vec<usize>> {
        leading(&self.config, strengths, level, count)
            .map_err(|source| Error::Model { file: self.file.clone(), source })
    }

    /// Receptive fields of latents at some places, averaged over samples, as pictures.
    ///
    /// # Errors
    /// As [`LevelEngine::receptive_fields`].
    pub fn fields(&self, places: &[usize], samples: &[f32]) -> Result<Vec<RgbImage>> {
        let size = self.config.size;
        let fields = self.engine.receptive_fields(places, samples)?;
        Ok(fields.chunks_exact(size * size).map(|field| heat(field, size)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::RgFlow;
    use shared::weights::Precision;

    /// A model with random parameters in a file.
    fn random_model(folder: &Path) -> Model {
        type Cpu = burn::backend::Flex;
        let config = RgFlowConfig::tiny();
        let model = RgFlow::<Cpu>::random(&config, 0.15, 4, &Default::default()).unwrap();
        let bytes = ModelFile::from_model(&model, Card::default()).to_bytes(Precision::F32).unwrap();
        let path = folder.join("model.safetensors");
        std::fs::write(&path, bytes).unwrap();
        Model::open(&path, Which::Best, DeviceChoice::Cpu).unwrap()
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

    #[test]
    fn a_card_names_the_data_and_not_where_they_lay() {
        for (data, name) in
            [("msds1", "msds1"), ("/home/me/photos/", "photos"), ("data/faces-train.zip", "faces-train.zip")]
        {
            assert_eq!(name_of(data), name);
        }
    }
}
