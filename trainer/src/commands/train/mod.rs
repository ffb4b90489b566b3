//! `trainer train`: a new run, or a resumed one.

mod args;
mod config;
mod resume;

use std::cell::OnceCell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use shared::weights::AnyModelFile;
use shared::{DataKind, RgFlowConfig};

pub use self::args::TrainArgs;
pub use self::config::read_config;
use self::config::{architecture, conflicts};
use crate::args::{DataSetArgs, source};
use crate::data::DataSource;
use crate::error::{Error, Result};
use crate::evaluate::suits;
use crate::open::load;
use crate::output::{aside, say};
use crate::signals::Heard;
use crate::train::action::Objective;
use crate::train::best::Which;
use crate::train::folder::RunFolder;
use crate::train::state::{DataPart, RunState};
use crate::train::{self, Training};

/// Trains.
///
/// # Errors
/// Bad arguments, data or checkpoints, training that diverges, and [`Error::Stopped`] for a run that a signal ended, which has
/// saved.
pub fn run(args: TrainArgs) -> Result<()> {
    let resume = args.resume.as_deref().map(resume::checkpoint).transpose()?;
    let out = resume::folder(&args, resume.as_deref())?;
    let weights = args.from.as_deref().map(|path| weights(path, &args)).transpose()?;
    let (mut state, mut changes) = match &resume {
        Some(path) => resume::state(&args, RunState::read(path)?)?,
        None => (start(&args, weights.as_ref())?, Vec::new()),
    };
    // A resumed run keeps its data unless the options name others, which its state then has.
    let mut data = DataSetArgs { data: None, ..args.data.clone() }.of_run(&state);
    data.keep_apart(&out)?;
    let folder = RunFolder::open(&out, resume.as_deref())?;
    if args.data.data.is_none() && resume.is_some() {
        still_there(&state.data)?;
    }
    let by_action = state.objective == Objective::Action;
    if by_action {
        one_device(&args)?;
        // Nothing is trained on.
        data.limit = Some(1);
    }
    if state.objective == Objective::Likelihood {
        // Before fields are drawn, which takes a while.
        suits(state.config.data(), source(data.name())?.kind())?;
    }
    let dataset = data.load(state.config.image_shape())?;
    if by_action {
        say!("{}: by its action, without data", dataset.name)?;
    } else {
        say!("{}: {} training and {} test images", dataset.name, dataset.train.len(), dataset.test.len())?;
    }
    match &resume {
        Some(path) => {
            changes.extend(resume::with_data(&args, &mut state, &dataset));
            let changed = if changes.is_empty() { String::new() } else { format!(", with {}", changes.join(", ")) };
            say!("{}: resumes at step {}{changed}", path.display(), state.step)?;
        }
        None => {
            state.licence = resume::licence(&args, &dataset, state.licence.take());
            if by_action {
                state.recipe.flips = false;
            } else if state.recipe.flips && !args.flips && !dataset.mirrors {
                say!("digits and letters are not mirrored; --flips mirrors them anyway")?;
                state.recipe.flips = false;
            }
            let (parameters, macs) = (state.config.param_count(), state.config.macs() as f64 / 1e6);
            say!("{parameters} parameters, {macs:.1} million multiply-adds an image")?;
            if let Some(from) = &args.from {
                say!("weights from {}", from.display())?;
            }
        }
    }
    if let Some(short) = args.short_warmup(&state.recipe) {
        say!("{short}")?;
    }
    state.part.images = (!by_action).then(|| dataset.train.len());
    if !by_action && state.recipe.batch > dataset.train.len() {
        let (batch, images) = (state.recipe.batch, dataset.train.len());
        aside(format_args!("note: a batch of {batch} shows each of the {images} images several times in every step"));
    }
    let interrupted = Arc::new(AtomicBool::new(false));
    // Where it cannot listen Ctrl-C still works, it only loses the steps since the last checkpoint.
    let heard = Heard::listen(interrupted.clone()).unwrap_or_default();
    let training = Training {
        state,
        resume,
        dataset,
        folder,
        checkpoint_every: args.checkpoint_every,
        keep: args.keep,
        test_images: args.test_images,
        log_every: args.log_every,
        tensorboard: !args.no_tensorboard,
        weights,
        max_minutes: args.max_minutes,
        interrupted,
        probe: OnceCell::new(),
    };
    let (unit, steps) = (training.state.config.data().unit(), training.state.recipe.steps);
    let outcome = train::run(args.device.devices, training)?;
    let test = match outcome.test {
        Some(t) if by_action => format!(", log Z at least {:.5} a site", -t),
        Some(t) => format!(", {t:.3} {unit} on test images"),
        None => String::new(),
    };
    say!("step {}{test}: {}", outcome.step, outcome.checkpoint.display())?;
    if outcome.step < steps {
        say!("stopped before step {steps}; `trainer train --resume {}` goes on", out.display())?;
        if let Some(signal) = heard.signal() {
            return Err(Error::Stopped { signal });
        }
    }
    Ok(())
}

/// The weights of `--from`: for another lattice if `--size` asks for one that they can have, with place features if
/// `--place-features` does.
fn weights(path: &Path, args: &TrainArgs) -> Result<AnyModelFile> {
    let mut file = match load(path, Which::Best)? {
        AnyModelFile::RgFlow(file) => file,
        other => return Ok(other),
    };
    if let Some(size) = args.size
        && (file.config.share_levels || file.config.data == DataKind::Field && size > file.config.size)
    {
        file = file.grown(size).map_err(Error::model("--size".as_ref()))?;
    }
    if let Some(features) = args.place_features
        && features > 0
        && file.config.place_features == 0
    {
        let (from, seed) = (args.places_from.unwrap_or(0), args.recipe().seed);
        file = file.with_places(features, from, seed).map_err(Error::model("--place-features".as_ref()))?;
    }
    Ok(AnyModelFile::RgFlow(file))
}

/// An error if a run by the action would have several devices.
fn one_device(args: &TrainArgs) -> Result<()> {
    if args.device.devices.all().len() == 1 {
        return Ok(());
    }
    Err(Error::usage("--objective", "training by the action runs on one device", "name one with --device"))
}

/// A new run, from these weights if there are any.
fn start(args: &TrainArgs, weights: Option<&AnyModelFile>) -> Result<RunState> {
    let data = &args.data;
    let part = DataPart {
        test_data: data.test_data.as_ref().map(|path| path.display().to_string()),
        limit: data.limit,
        test_limit: data.test_limit,
        seed: data.data_seed.unwrap_or(0),
        images: None,
    };
    let config = match weights {
        Some(file) => {
            let conflicts = conflicts(args, &file.config())?;
            if !conflicts.is_empty() {
                let problem = format!("a model keeps {}", conflicts.join("; "));
                return Err(Error::usage("--from", problem, "leave them out, or train a new model without --from"));
            }
            file.config()
        }
        None => architecture(args)?.unwrap_or_else(|| RgFlowConfig::demo().into()),
    };
    let prior = args.prior.unwrap_or(config.prior());
    let config = config.with_prior(prior);
    let mut state = RunState::new(config, args.recipe(), data.name().to_owned());
    state.part = part;
    state.best_by = args.best_by.unwrap_or_default();
    state.objective = args.objective.unwrap_or_default();
    if let Some(card) = weights.map(AnyModelFile::card) {
        let known = |text: &String| (!text.is_empty()).then(|| text.clone());
        state.from = args.from.as_ref().map(|path| path.display().to_string());
        state.earlier_data.extend(known(&card.dataset));
        state.licence = known(&card.licence);
    }
    Ok(state)
}

/// Whether the data of a resumed run are where they were.
fn still_there(data: &str) -> Result<()> {
    match source(data)? {
        DataSource::Path(path) if !path.exists() => {
            let problem = format!("the run was trained on {data}, which no longer exists");
            Err(Error::usage("--data", problem, "give the images' new path with --data"))
        }
        _ => Ok(()),
    }
}
