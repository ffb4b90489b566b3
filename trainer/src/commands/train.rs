//! `trainer train`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use shared::ModelConfig;

use super::resume;
use crate::cli::{DataSetArgs, TrainArgs};
use crate::data::DataSource;
use crate::error::{Error, Result};
use crate::files::read_limited;
use crate::output::{aside, say};
use crate::train::folder::RunFolder;
use crate::train::state::{DataPart, RunState};
use crate::train::{self, Training, newest};

/// Trains.
///
/// # Errors
/// Bad arguments, data or checkpoints, and training that diverges.
pub fn run(args: TrainArgs) -> Result<()> {
    let resume = args.resume.as_deref().map(newest).transpose()?;
    let out = resume::folder(&args, resume.as_deref())?;
    let (mut state, mut changes) = match &resume {
        Some(path) => resume::state(&args, RunState::read(path)?)?,
        None => (start(&args)?, Vec::new()),
    };
    let data = data_of(&state, &args.data);
    super::keep_apart(data.name(), data.test_data.as_deref(), &out)?;
    let folder = RunFolder::open(&out, resume.as_deref())?;
    if args.data.data.is_none() && resume.is_some() {
        still_there(&state.data)?;
    }
    let dataset = super::load(&data, state.config.image_shape())?;
    say!("{}: {} training and {} test images", dataset.name, dataset.train.len(), dataset.test.len())?;
    match &resume {
        Some(path) => {
            changes.extend(resume::with_data(&args, &mut state, &dataset));
            let changed = if changes.is_empty() { String::new() } else { format!(", with {}", changes.join(", ")) };
            say!("{}: goes on from step {}{changed}", path.display(), state.step)?;
        }
        None => {
            state.licence.clone_from(&dataset.licence);
            if state.recipe.flips && !args.flips && !dataset.mirrors {
                say!("digits and letters are not mirrored; --flips does it all the same")?;
                state.recipe.flips = false;
            }
            let (parameters, macs) = (state.config.param_count(), state.config.macs() as f64 / 1e6);
            say!("{parameters} parameters, {macs:.1} million multiply-adds an image")?;
        }
    }
    state.part.images = Some(dataset.train.len());
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = interrupted.clone();
    // Without the handler Ctrl-C still works, it only loses the steps since the last checkpoint.
    let _ = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        aside(format_args!("\nsaving; press Ctrl-C again to leave without"));
    });
    let training = Training {
        state,
        resume,
        dataset,
        folder,
        checkpoint_every: args.checkpoint_every,
        keep: args.keep,
        test_images: args.test_images,
        log_every: args.log_every,
        max_minutes: args.max_minutes,
        interrupted,
    };
    let outcome = train::run(args.device.device, training)?;
    let test = outcome.test.map(|t| format!(", {t:.3} bits/dim on test images")).unwrap_or_default();
    say!("step {}{test}: {}", outcome.step, outcome.checkpoint.display())
}

/// A new run.
fn start(args: &TrainArgs) -> Result<RunState> {
    let data = &args.data;
    let part = DataPart {
        test_data: data.test_data.as_ref().map(|path| path.display().to_string()),
        limit: data.limit,
        test_limit: data.test_limit,
        seed: data.data_seed.unwrap_or(0),
        images: None,
    };
    let config = architecture(args)?.map_or_else(|| preset("demo"), Ok)?;
    let prior = args.prior.unwrap_or(config.prior());
    let config = config.with_prior(prior);
    let mut state = RunState::new(config, args.recipe(), data.name().to_owned());
    state.part = part;
    Ok(state)
}

/// The options with the run's data, where they name none.
fn data_of(state: &RunState, given: &DataSetArgs) -> DataSetArgs {
    DataSetArgs {
        data: Some(state.data.clone()),
        test_data: state.part.test_data.as_ref().map(Into::into),
        limit: state.part.limit,
        test_limit: state.part.test_limit,
        data_seed: Some(state.part.seed),
        ..given.clone()
    }
}

/// Whether the data of a run that goes on are where they were.
fn still_there(data: &str) -> Result<()> {
    match super::source(data)? {
        DataSource::Path(path) if !path.exists() => {
            let problem = format!("the run was trained on {data}, which is not there");
            Err(Error::usage("--data", problem, "say where those images are now, by --data"))
        }
        _ => Ok(()),
    }
}

/// The architecture that the options name, if they do, without another prior.
pub fn architecture(args: &TrainArgs) -> Result<Option<ModelConfig>> {
    match (&args.config, &args.preset) {
        (Some(path), _) => read_config(path).map(Some),
        (None, Some(name)) => preset(name).map(Some),
        (None, None) => Ok(None),
    }
}

fn preset(name: &str) -> Result<ModelConfig> {
    ModelConfig::preset(name).ok_or_else(|| Error::Usage {
        option: "--preset".into(),
        problem: format!("no preset is called {name}"),
        advice: format!("use one of {}", ModelConfig::presets().join(", ")),
    })
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
