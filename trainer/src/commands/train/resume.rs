//! `trainer train --resume`: which options change a resumed run, and which cannot.

use std::fs::canonicalize;
use std::path::{Path, PathBuf};

use super::args::{RecipeName, TrainArgs};
use super::config::conflicts;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::train::state::{DataPart, RunState};
use crate::train::{folder, newest};

/// The checkpoint to resume from: the newest of a run's folder, or the file itself.
///
/// # Errors
/// [`Error::Usage`] for what is not there and for files of another kind; as [`newest`].
pub fn checkpoint(path: &Path) -> Result<PathBuf> {
    if !path.exists() {
        return Err(Error::usage("--resume", format!("{} does not exist", path.display()), "check the path"));
    }
    if path.is_file() && path.extension().is_none_or(|extension| extension != "ckpt") {
        let problem = format!("{} is not a checkpoint", path.display());
        return Err(Error::usage("--resume", problem, "give a run's folder; --from starts a new run from weights"));
    }
    newest(path)
}

/// The folder that the options name, or that of the resumed run.
///
/// # Errors
/// [`Error::Usage`] if neither is known.
pub fn folder(args: &TrainArgs, resume: Option<&Path>) -> Result<PathBuf> {
    match (&args.out, resume) {
        (Some(out), _) => Ok(out.clone()),
        (None, None) => Ok("runs/latest".into()),
        (None, Some(checkpoint)) => folder::of_checkpoint(checkpoint).map(Path::to_path_buf).ok_or_else(|| {
            let problem = format!("{} is not in a run folder", checkpoint.display());
            Error::usage("--out", problem, "give the folder to continue in with --out")
        }),
    }
}

/// The run as the options change it, and the changes in words.
///
/// # Errors
/// [`Error::Usage`] names all options that would make it another run, and what to do instead.
pub fn state(args: &TrainArgs, old: RunState) -> Result<(RunState, Vec<String>)> {
    let recipe = args.changed(old.recipe.clone());
    let best_by = args.best_by.unwrap_or(old.best_by);
    let mut new = with_part(args, old.clone().with_recipe(recipe));
    new.best_by = best_by;
    let changes = changes(&old, &new);
    let refused = refused(args, &old)?;
    if refused.is_empty() {
        return Ok((new, changes));
    }
    let mut advice =
        "leave them out to resume the run, or start a new one without --resume in another --out".to_owned();
    if !changes.is_empty() {
        advice += &format!("; the other options can be changed: {}", changes.join(", "));
    }
    Err(Error::usage("--resume", format!("a run keeps {}", refused.join("; ")), advice))
}

/// Options given that only a new run can have, in words; one that is the run's own already is not refused.
fn refused(args: &TrainArgs, old: &RunState) -> Result<Vec<String>> {
    let mut refused = conflicts(args, &old.config)?;
    let other = |name: &RecipeName| name.recipe(old.recipe.steps).cosine != old.recipe.cosine;
    if args.recipe.as_ref().is_some_and(other) {
        refused.push("its schedule (--recipe), although single settings such as --learning-rate can be changed".into());
    }
    if args.objective.is_some_and(|objective| objective != old.objective) {
        refused.push(format!("its objective, {} (--objective)", old.objective.name()));
    }
    if args.seed.is_some_and(|seed| seed != old.recipe.seed) {
        refused.push(format!("its seed {} (--seed), which decides the order of its images", old.recipe.seed));
    }
    Ok(refused)
}

/// With the data that the options name. The run's own part does not apply to other data.
fn with_part(args: &TrainArgs, old: RunState) -> RunState {
    let given = &args.data;
    let same = given.data.as_ref().is_none_or(|data| same_data(data, &old.data));
    let base = if same { old.part.clone() } else { DataPart::default() };
    let part = DataPart {
        test_data: given.test_data.as_ref().map(|path| path.display().to_string()).or(base.test_data),
        limit: given.limit.or(base.limit),
        test_limit: given.test_limit.or(base.test_limit),
        seed: given.data_seed.unwrap_or(base.seed),
        images: base.images,
    };
    let mut state = old;
    state.part = part;
    if !same {
        state.earlier_data.push(std::mem::replace(&mut state.data, given.name().to_owned()));
    }
    state
}

/// Whether two names stand for the same data.
fn same_data(a: &str, b: &str) -> bool {
    a == b || matches!((canonicalize(a), canonicalize(b)), (Ok(a), Ok(b)) if a == b)
}

/// What differs, in words.
fn changes(old: &RunState, new: &RunState) -> Vec<String> {
    let (a, b) = (&old.recipe, &new.recipe);
    let mut all = Vec::new();
    let mut note = |name: &str, from: String, to: String| {
        if from != to {
            all.push(format!("{name} {from} → {to}"));
        }
    };
    note("steps", a.steps.to_string(), b.steps.to_string());
    note("learning rate", a.learning_rate.to_string(), b.learning_rate.to_string());
    note("warm-up", a.warmup.to_string(), b.warmup.to_string());
    note("batch", a.batch.to_string(), b.batch.to_string());
    note("weight decay", a.weight_decay.to_string(), b.weight_decay.to_string());
    note("clip", a.clip.to_string(), b.clip.to_string());
    note("average", a.ema.to_string(), b.ema.to_string());
    note("best by", old.best_by.name().into(), new.best_by.name().into());
    let mirrored = |flips: bool| if flips { "at random" } else { "never" }.to_owned();
    note("mirrored", mirrored(a.flips), mirrored(b.flips));
    note("data", old.data.clone(), new.data.clone());
    let or = |what: Option<String>, none: &str| what.unwrap_or_else(|| none.to_owned());
    let (p, q) = (&old.part, &new.part);
    note("test data", or(p.test_data.clone(), "its own"), or(q.test_data.clone(), "its own"));
    let number = |limit: Option<usize>| or(limit.map(|n| n.to_string()), "none");
    note("limit", number(p.limit), number(q.limit));
    note("limit of test images", number(p.test_limit), number(q.test_limit));
    note("seed of the data", p.seed.to_string(), q.seed.to_string());
    all
}

/// Takes over what only the loaded data tell, and gives what is new in words.
pub fn with_data(args: &TrainArgs, state: &mut RunState, dataset: &Dataset) -> Vec<String> {
    let mut changes = Vec::new();
    let found = dataset.train.len();
    if let Some(before) = state.part.images.filter(|&before| before != found) {
        changes.push(format!("training images {before} → {found}"));
    }
    let before = state.licence.take();
    state.licence = licence(args, dataset, before.clone());
    if state.licence != before {
        changes.push(format!("licence “{}”", state.licence.as_deref().unwrap_or_default()));
    }
    changes
}

/// The licence of a model that was trained on these data, and on earlier ones with another licence, which it stays under.
pub fn licence(args: &TrainArgs, dataset: &Dataset, earlier: Option<String>) -> Option<String> {
    match (&args.data.licence, &dataset.licence, earlier) {
        (Some(given), ..) => Some(given.clone()),
        (None, Some(new), Some(old)) if !old.contains(new) => Some(format!("{old}; {new}")),
        (None, new, old) => old.or_else(|| new.clone()),
    }
}
