//! Where a run stands: everything in a checkpoint but its weights, which are not read for it.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use safetensors::tensor::TensorInfo;
use serde::{Deserialize, Serialize};
use shared::ModelConfig;
use shared::train::{Measured, Recipe};

use super::action::Objective;
use super::best::BestBy;
use crate::error::{Error, Result};

/// The format's name in a checkpoint's metadata.
pub(super) const FORMAT: &str = "rg-flow-checkpoint-1";
/// Names of parts and the state, which is a few kilobytes.
const MAX_HEADER: u64 = 1 << 20;

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// The architecture.
    pub config: ModelConfig,
    /// The recipe.
    pub recipe: Recipe,
    /// Name or path of the data, as given.
    pub data: String,
    /// Which part of the data is used; missing in older checkpoints.
    #[serde(default)]
    pub part: DataPart,
    /// What it was trained on before, first to last.
    #[serde(default)]
    pub earlier_data: Vec<String>,
    /// Licence of the data, if known.
    pub licence: Option<String>,
    /// Steps taken.
    pub step: u64,
    /// Images seen; missing in older checkpoints, whose steps all had the same batch.
    #[serde(default)]
    images: Option<u64>,
    /// Seconds spent training.
    pub seconds: f64,
    /// What its weights started from, if not from new ones: the name of a file or run.
    #[serde(default)]
    pub from: Option<String>,
    /// What makes a checkpoint the best one.
    #[serde(default)]
    pub best_by: BestBy,
    /// What training makes small.
    #[serde(default)]
    pub objective: Objective,
    /// What was measured since the last line of the metrics.
    #[serde(default)]
    pub recent: Recent,
}

/// Which part of a data set a run uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DataPart {
    /// Separate test images.
    pub test_data: Option<String>,
    /// Most training images.
    pub limit: Option<usize>,
    /// Most test images.
    pub test_limit: Option<usize>,
    /// Seed of what is random in the data.
    pub seed: u64,
    /// Number of training images, if known.
    pub images: Option<usize>,
}

/// Sums over steps, which a checkpoint keeps to the last bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recent {
    count: u64,
    #[serde(with = "exact")]
    bits: f64,
    #[serde(with = "exact")]
    norm: f64,
    /// Steps whose gradient was clipped, and the sum of what it was multiplied by.
    #[serde(default)]
    clipped: u64,
    #[serde(default, with = "exact")]
    factors: f64,
}

/// A number by its bits: decimals read back may be off in the last place.
mod exact {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.to_bits())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }
}

impl Recent {
    /// Counts a step.
    pub fn add(&mut self, measured: Measured) {
        self.count += 1;
        self.bits += measured.bits_per_dim;
        self.norm += measured.grad_norm;
        if measured.factor < 1.0 {
            self.clipped += 1;
            self.factors += measured.factor;
        }
    }

    /// Whether it has no step.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The mean loss.
    pub fn bits_per_dim(&self) -> f64 {
        self.bits / self.count.max(1) as f64
    }

    /// The share of steps whose gradient was clipped.
    pub fn clipped(&self) -> f64 {
        self.clipped as f64 / self.count.max(1) as f64
    }

    /// The mean of what the clipped gradients were multiplied by, if there were any.
    pub fn clip_factor(&self) -> Option<f64> {
        (self.clipped > 0).then(|| self.factors / self.clipped as f64)
    }

    /// The mean norm of the gradient.
    pub fn grad_norm(&self) -> f64 {
        self.norm / self.count.max(1) as f64
    }
}

impl RunState {
    /// A run at its start.
    pub fn new(config: ModelConfig, recipe: Recipe, data: String) -> Self {
        Self {
            config,
            recipe,
            data,
            part: DataPart::default(),
            earlier_data: Vec::new(),
            licence: None,
            step: 0,
            images: Some(0),
            seconds: 0.0,
            from: None,
            best_by: BestBy::default(),
            objective: Objective::default(),
            recent: Recent::default(),
        }
    }

    /// What decides which test images scores are measured on.
    pub fn scored_on(&self) -> (&str, Option<&str>, Option<usize>, u64) {
        (&self.data, self.part.test_data.as_deref(), self.part.test_limit, self.part.seed)
    }

    /// Images seen so far.
    pub fn images(&self) -> u64 {
        self.images.unwrap_or_else(|| self.step.saturating_mul(self.recipe.batch as u64))
    }

    /// Counts a step, and what it measured unless it was skipped.
    pub fn advance(&mut self, measured: Option<Measured>) {
        self.images = Some(self.images() + self.recipe.batch as u64);
        self.step += 1;
        if let Some(measured) = measured {
            self.recent.add(measured);
        }
    }

    /// Counts time, rounded to microseconds, so that it is read back exactly as it was written.
    pub fn spend(&mut self, time: Duration) {
        self.seconds = ((self.seconds + time.as_secs_f64()) * 1e6).round() / 1e6;
    }

    /// Another recipe from here on.
    pub fn with_recipe(self, recipe: Recipe) -> Self {
        Self { images: Some(self.images()), recipe, ..self }
    }

    /// Reads where a run stands from a checkpoint that may be anything, without its weights.
    ///
    /// # Errors
    /// [`Error::Content`] names the file and says what is wrong with it.
    pub fn read(path: &Path) -> Result<Self> {
        /// The container's header.
        #[derive(Deserialize)]
        struct Header {
            #[serde(rename = "__metadata__", default)]
            metadata: HashMap<String, String>,
            #[serde(flatten)]
            parts: HashMap<String, TensorInfo>,
        }
        let fail = || Error::io(path, "read it");
        let mut file = File::open(path).map_err(fail())?;
        let length = file.metadata().map_err(fail())?.len();
        let mut size = [0; 8];
        file.read_exact(&mut size).map_err(|_| damaged(path, &"it is too short"))?;
        let size = u64::from_le_bytes(size);
        if size > MAX_HEADER.min(length) {
            return Err(damaged(path, &"its header is damaged"));
        }
        let mut json = Vec::new();
        file.take(size).read_to_end(&mut json).map_err(fail())?;
        let Header { metadata, parts } = serde_json::from_slice(&json).map_err(|e| damaged(path, &e))?;
        let state = Self::of(path, &metadata)?;
        let end = parts.values().map(|part| part.data_offsets.1 as u64).max().unwrap_or(0);
        if length != (8 + size).saturating_add(end) {
            return Err(damaged(path, &"its end is missing, or something follows it"));
        }
        Ok(state)
    }

    /// The state in a checkpoint's metadata.
    pub(super) fn of(path: &Path, metadata: &HashMap<String, String>) -> Result<Self> {
        if metadata.get("format").map(String::as_str) != Some(FORMAT) {
            let problem = "it is not a checkpoint of this program";
            return Err(Error::content(path.display(), problem, "give a .ckpt file, or the --out folder of a run"));
        }
        let state = metadata.get("state").ok_or_else(|| damaged(path, &"it has no state"))?;
        let state: Self = serde_json::from_str(state).map_err(|e| damaged(path, &e))?;
        state.recipe.validate().map_err(|e| damaged(path, &e))?;
        state.config.validate().map_err(|e| damaged(path, &e))?;
        Ok(state)
    }
}

/// The error for a damaged checkpoint.
pub(super) fn damaged(path: &Path, problem: &dyn std::fmt::Display) -> Error {
    Error::Content {
        file: path.display().to_string(),
        problem: format!("not a complete checkpoint of this program ({problem})"),
        advice: "resume from an older checkpoint of the run".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_state_knows_its_images() {
        let state =
            RunState { step: 7, ..RunState::new(ModelConfig::preset("tiny").unwrap(), Recipe::cosine(9), "x".into()) };
        let mut json = serde_json::to_value(&state).unwrap();
        for key in ["part", "earlier_data", "images", "recent", "from", "best_by", "objective"] {
            json.as_object_mut().unwrap().remove(key).unwrap();
        }
        let mut old: RunState = serde_json::from_value(json).unwrap();
        assert_eq!(old.images(), 7 * 16);
        old = old.clone().with_recipe(Recipe { batch: 4, ..old.recipe });
        old.advance(Some(Measured { bits_per_dim: 3.0, grad_norm: 2.0, factor: 1.0 }));
        assert_eq!((old.step, old.images(), old.recent.bits_per_dim(), old.recent.grad_norm()), (8, 116, 3.0, 2.0));
        let other = old.clone().with_recipe(Recipe { batch: 64, ..old.recipe.clone() });
        assert_eq!(other.images(), 116);
    }

    #[test]
    fn clipped_gradients_are_counted_and_by_how_much() {
        let mut recent = Recent::default();
        assert_eq!((recent.clipped(), recent.clip_factor()), (0.0, None));
        for factor in [1.0, 0.5, 1.0, 0.25] {
            recent.add(Measured { bits_per_dim: 3.0, grad_norm: 2.0, factor });
        }
        assert_eq!((recent.clipped(), recent.clip_factor()), (0.5, Some(0.375)));
        // Of an older checkpoint, nothing of this is known.
        let mut json = serde_json::to_value(recent).unwrap();
        for key in ["clipped", "factors"] {
            json.as_object_mut().unwrap().remove(key).unwrap();
        }
        assert_eq!(serde_json::from_value::<Recent>(json).unwrap().clip_factor(), None);
    }
}
