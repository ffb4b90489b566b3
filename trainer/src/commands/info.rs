//! `trainer info`: what a file says about its model, or what the machine computes with.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use shared::backend::{CpuVectors, cpu_vectors};

use crate::args::WhichArgs;
use crate::device::{self, DeviceChoice};
use crate::error::{Error, Result};
use crate::identity::of_weights;
use crate::open::{About, about, load};
use crate::output::say;

/// Arguments of `info`.
#[derive(Args, Debug, Clone)]
#[command(group(ArgGroup::new("what").required(true).args(["model", "machine"])))]
pub struct InfoArgs {
    /// Weights file, checkpoint, or run folder.
    pub model: Option<PathBuf>,
    /// Print this machine's processor, which kernels run on it, and which devices answer.
    #[arg(long)]
    pub machine: bool,
    /// Print the model's configuration alone, as `trainer train --config` takes it.
    #[arg(long, conflicts_with = "machine")]
    pub config: bool,
    /// Which checkpoint of a run folder.
    #[command(flatten)]
    pub which: WhichArgs,
}

/// Prints a model's card and configuration, and a checkpoint's recipe; or what the machine computes with.
///
/// # Errors
/// A file that cannot be read.
pub fn run(args: InfoArgs) -> Result<()> {
    let Some(model) = args.model else { return machine() };
    let About { config, card, state } = about(&model, args.which.which)?;
    if args.config {
        return say!("{}", serde_json::to_string_pretty(&config).unwrap_or_default());
    }
    let (parameters, macs) = (config.param_count(), config.macs() as f64 / 1e6);
    let mut text = format!("{parameters} parameters, {macs:.1} million multiply-adds an image\n");
    // Those of a checkpoint are not read for this.
    if state.is_none() {
        text += &format!("weights {}\n", of_weights(load(&model, args.which.which)?, &model)?);
    }
    text += &format!("card   {}\n", serde_json::to_string_pretty(&card).unwrap_or_default());
    text += &format!("config {}\n", serde_json::to_string_pretty(&config).unwrap_or_default());
    if let Some(state) = &state {
        text += &format!("step   {}, best by {}\n", state.step, state.best_by.name());
        text += &format!("recipe {}\n", serde_json::to_string_pretty(&state.recipe).unwrap_or_default());
    }
    say!("{}", text.trim_end())
}

/// The processor, its kernels, and the devices.
fn machine() -> Result<()> {
    let CpuVectors { processor, instructions, lanes, why } = cpu_vectors();
    say!("processor  {processor}, {} threads", rayon::current_num_threads())?;
    say!("kernels    {instructions}, {lanes} numbers at a time: {why}")?;
    say!("device     cpu     answers")?;
    let mut cards =
        (0..).map(DeviceChoice::Cuda).map_while(|card| device::check(card).is_ok().then_some(card)).peekable();
    let first = if cards.peek().is_some() { "cuda:0" } else { "cpu" };
    if cards.peek().is_none() {
        answer(DeviceChoice::Cuda(0))?;
    }
    for card in cards {
        answer(card)?;
    }
    answer(DeviceChoice::Wgpu)?;
    answer(DeviceChoice::Candle)?;
    say!("auto       {first}")
}

/// A line for a device: that it answers, or why not.
fn answer(choice: DeviceChoice) -> Result<()> {
    let name = match choice {
        DeviceChoice::Cuda(card) => format!("cuda:{card}"),
        other => other.kind().to_owned(),
    };
    match device::check(choice) {
        Ok(()) => say!("device     {name:<7} answers"),
        Err(Error::Device(why)) => say!("device     {name:<7} {why}"),
        Err(error) => Err(error),
    }
}
