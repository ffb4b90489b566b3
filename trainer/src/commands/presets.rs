//! `trainer presets`: the architectures with a name.

use clap::Args;
use shared::PRESETS;
use shared::train::Recipe;

use crate::args::numbers::{MOST_IMAGES, count, positive};
use crate::args::{DeviceArgs, Preset, preset};
use crate::device::dispatch;
use crate::error::Result;
use crate::output::say;
use crate::progress::Progress;
use crate::train::timed::TimedSteps;

/// Arguments of `presets`.
#[derive(Args, Debug, Clone)]
pub struct PresetsArgs {
    /// Only these [default: all].
    #[arg(value_name = "PRESET", value_parser = preset())]
    pub presets: Vec<Preset>,
    /// Also train each for a moment on this machine, and say how long an epoch takes. The largest take long on a CPU.
    #[arg(long)]
    pub time: bool,
    /// Number of images in the epoch that is timed.
    #[arg(long, default_value_t = 50_000, value_parser = count(1..=MOST_IMAGES))]
    pub images: usize,
    /// Images in a batch of the steps that are timed, 1 to 65536.
    #[arg(long, default_value_t = 16, value_parser = count(1..=Recipe::MOST_BATCH))]
    pub batch: usize,
    /// Repeat the steps of each preset for this many seconds, at most 3600, and take the median.
    #[arg(long, default_value_t = 2.0, value_parser = positive(3600.0))]
    pub seconds: f64,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Prints all presets, with times if they are asked for.
///
/// # Errors
/// A device that does not answer.
pub fn run(args: PresetsArgs) -> Result<()> {
    let times = if args.time { format!(" {:>9} {:>12}", "images/s", "s an epoch") } else { String::new() };
    say!("{:<18} {:>5} {:>12} {:>14}{times}  for", "preset", "size", "parameters", "mult-adds")?;
    let given = |name: &str| args.presets.is_empty() || args.presets.iter().any(|preset| preset.name == name);
    for preset in PRESETS.iter().filter(|preset| given(preset.name)) {
        let config = preset.config();
        let [_, size] = config.image_shape();
        let times = match args.time {
            true => {
                let job = TimedSteps { config: &config, batch: args.batch, warm_up: 1, seconds: args.seconds };
                let progress = Progress::new(format!("timing {}", preset.name), 0);
                let rate = dispatch(args.device.device, job)?.rate;
                drop(progress);
                format!(" {rate:>9.1} {:>12.1}", args.images as f64 / rate)
            }
            false => String::new(),
        };
        let (name, purpose) = (preset.name, preset.purpose);
        say!("{name:<18} {size:>5} {:>12} {:>14}{times}  {purpose}", config.param_count(), config.macs())?;
    }
    if args.time {
        return say!("an epoch of {} images, in batches of {}", args.images, args.batch);
    }
    say!("--size takes any of them to another image size; --time measures seconds an epoch on this machine")
}
