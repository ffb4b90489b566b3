//! `trainer train`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use shared::ModelConfig;

use crate::cli::TrainArgs;
use crate::device::{DeviceChoice, Job, TrainBackend, dispatch};
use crate::error::{Error, Result};
use crate::train::checkpoint::{Run, read_limited};
use crate::train::{self, Training, newest};

/// Trains.
///
/// # Errors
/// Bad arguments, data or checkpoints, and training that diverges.
pub fn run(args: TrainArgs) -> Result<()> {
    let mut config = match &args.config {
        Some(path) => read_config(path)?,
        None => ModelConfig::preset(&args.preset).ok_or_else(|| Error::Usage {
            option: "--preset".into(),
            problem: format!("no preset is called {}", args.preset),
            advice: format!("use one of {}", ModelConfig::presets().join(", ")),
        })?,
    };
    if let Some(prior) = args.prior {
        config = config.with_prior(prior);
    }
    let resume = args.resume.as_deref().map(newest).transpose()?;
    let shape = match &resume {
        Some(path) => dispatch(DeviceChoice::Cpu, Shape { path })?,
        None => config.image_shape(),
    };
    super::keep_apart(&args.data.data, args.data.test_data.as_deref(), &args.out)?;
    std::fs::create_dir_all(&args.out).map_err(Error::io(&args.out, "create it"))?;
    let dataset = super::load(&args.data, shape)?;
    println!("{}: {} training and {} test images", dataset.name, dataset.train.len(), dataset.test.len());
    if resume.is_none() {
        println!(
            "{} parameters, {:.1} million multiply-adds an image",
            config.param_count(),
            config.macs() as f64 / 1e6
        );
    }
    let mut recipe = args.recipe();
    if resume.is_none() && recipe.flips && !args.flips && !dataset.mirrors {
        println!("digits and letters are not mirrored; --flips does it all the same");
        recipe.flips = false;
    }
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = interrupted.clone();
    // Without the handler Ctrl-C still works, it only loses the steps since the last checkpoint.
    let _ = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("\nsaving; press Ctrl-C again to leave without");
    });
    let training = Training {
        config,
        recipe,
        steps: args.steps,
        dataset,
        data: args.data.data.clone(),
        out: args.out.clone(),
        resume,
        checkpoint_every: args.checkpoint_every.max(1),
        keep: args.keep.max(1),
        test_images: args.test_images,
        max_minutes: args.max_minutes,
        interrupted,
    };
    let outcome = train::run(args.device.device, training)?;
    let test = outcome.test.map(|t| format!(", {t:.3} bits/dim on test images")).unwrap_or_default();
    println!("step {}{test}: {}", outcome.step, outcome.checkpoint.display());
    Ok(())
}

struct Shape<'a> {
    path: &'a Path,
}

impl Job for Shape<'_> {
    type Output = [usize; 2];

    fn run<B: TrainBackend>(self, device: B::Device) -> Result<[usize; 2]> {
        Ok(Run::<B>::load(self.path, &device)?.state.config.image_shape())
    }
}

fn read_config(path: &Path) -> Result<ModelConfig> {
    let bytes = read_limited(path, 1 << 20)?;
    let config: ModelConfig = serde_json::from_slice(&bytes).map_err(|e| Error::Content {
        file: path.display().to_string(),
        problem: format!("not a model configuration ({e})"),
        advice: "`trainer info` prints one to start from".into(),
    })?;
    config.validate().map_err(|source| Error::Model { file: path.display().to_string(), source })?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::CouplingKind;

    #[test]
    fn the_config_file_of_the_shipped_models_is_their_preset() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/demo.json");
        assert_eq!(read_config(&path).unwrap(), ModelConfig::preset("demo").unwrap());
    }

    #[test]
    fn the_config_file_with_splines_is_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/splines.json");
        assert!(
            matches!(read_config(&path).unwrap(), ModelConfig::RgFlow(config) if config.coupling == CouplingKind::Spline(5))
        );
    }

    #[test]
    fn a_config_that_is_none_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine.json");
        for (text, part) in [("{", "not a model configuration"), (r#"{"size": 32}"#, "missing field")] {
            std::fs::write(&path, text).unwrap();
            let error = read_config(&path).unwrap_err().to_string();
            assert!(error.contains("mine.json") && error.contains(part), "{error}");
        }
    }
}
