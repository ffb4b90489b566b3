//! Arguments of the commands that read and write files of models and data.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use shared::weights::{Card, NamedFactor};

use super::DeviceArgs;
use super::numbers::{MOST_IMAGES, count, within};

/// Numbers in a weights file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PrecisionName {
    /// Half precision.
    F16,
    /// Single precision.
    F32,
}

/// Arguments of `export`.
#[derive(Args, Debug, Clone)]
pub struct ExportArgs {
    /// Checkpoint, a run's folder, or a weights file, of whose card everything stays for which there is no option here.
    pub model: PathBuf,
    /// The weights file.
    #[arg(long)]
    pub out: PathBuf,
    /// Short name of the model.
    #[arg(long)]
    pub name: Option<String>,
    /// Evaluate on the test part of this data and note it on the card.
    #[arg(long)]
    pub data: Option<String>,
    /// Go on without images of that data that cannot be read, and say which these are.
    #[arg(long)]
    pub skip_broken: bool,
    /// Name of the data on the card.
    #[arg(long)]
    pub dataset: Option<String>,
    /// Licence and attribution of the data, for the card.
    #[arg(long)]
    pub licence: Option<String>,
    /// Temperatures that samples look best at, for the card: one, or one a level, finest first, with commas.
    #[arg(long, value_delimiter = ',', value_parser = within(0.0..=Card::MAX_TEMPERATURE))]
    pub temperatures: Vec<f32>,
    /// A latent that was seen to do one thing, for the card, as LEVEL.ROW.COLUMN.CHANNEL=NAME; give it again for more.
    /// `trainer factors` draws strips to see it.
    #[arg(long = "factor", value_parser = parse_factor)]
    pub factors: Vec<NamedFactor>,
    /// Numbers.
    #[arg(long, value_enum, default_value = "f16")]
    pub precision: PrecisionName,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Arguments of `import`.
#[derive(Args, Debug, Clone)]
pub struct ImportArgs {
    /// The *.state file.
    pub state: PathBuf,
    /// The weights file.
    #[arg(long)]
    pub out: PathBuf,
    /// Numbers.
    #[arg(long, value_enum, default_value = "f16")]
    pub precision: PrecisionName,
}

/// Arguments of `info`.
#[derive(Args, Debug, Clone)]
pub struct InfoArgs {
    /// Weights file, checkpoint, or a run's folder.
    pub model: PathBuf,
}

/// Arguments of `data`.
#[derive(Args, Debug, Clone)]
pub struct DataArgs {
    /// Name or path, as for `train --data`.
    pub data: String,
    /// A new folder.
    #[arg(long)]
    pub out: PathBuf,
    /// At most this many training images, and a tenth as many test images.
    #[arg(long, value_parser = count(1..=MOST_IMAGES))]
    pub limit: Option<usize>,
    /// Go on without images that cannot be read, and say which these are.
    #[arg(long)]
    pub skip_broken: bool,
    /// Edge of the images.
    #[arg(long, default_value_t = 32, value_parser = count(1..=4096_usize))]
    pub size: usize,
    /// Seed of generated sets.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

fn parse_factor(text: &str) -> Result<NamedFactor, String> {
    let (at, name) = text.split_once('=').ok_or("give LEVEL.ROW.COLUMN.CHANNEL=NAME")?;
    let at = at.parse().map_err(|error: shared::Error| error.to_string())?;
    match name.trim() {
        "" => Err("the name is empty".to_owned()),
        name => Ok(NamedFactor { at, name: name.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_an_address_and_a_name() {
        let factor = parse_factor("3.1.0.2= light, warm = high ").unwrap();
        assert_eq!((factor.at.to_string().as_str(), factor.name.as_str()), ("3.1.0.2", "light, warm = high"));
        for (bad, says) in [("3.1.0.2", "=NAME"), ("3.1=light", "LEVEL.ROW"), ("3.1.0.2= ", "empty")] {
            assert!(parse_factor(bad).unwrap_err().contains(says), "{bad}");
        }
    }
}
