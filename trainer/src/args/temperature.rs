//! Temperatures of samples.

use clap::Args;
use shared::Temperature;
use shared::sampler::Latents;
use shared::weights::Card;

use super::numbers::{count, temperature};
use crate::drawing::{Drawing, Joint};
use crate::error::{Error, Result};

/// The temperature where neither the command line nor the model's card has one.
const USUAL: f32 = 0.8;

/// Temperatures of samples.
#[derive(Args, Debug, Clone)]
pub struct TemperatureArgs {
    /// Factor on the prior's scale, 0 to 10 [default: what the model's card recommends, or 0.8].
    #[arg(long, value_parser = temperature())]
    pub temperature: Option<f32>,
    /// Another factor, 0 to 10, for the levels below --cutoff [default: that of --temperature].
    #[arg(long, value_parser = temperature())]
    pub low_temperature: Option<f32>,
    /// First level, counted from the finest, 0, at which --temperature applies instead of --low-temperature.
    #[arg(long, default_value_t = 1, value_parser = count(0..=64_usize))]
    pub cutoff: usize,
    /// Draw all latents independently, as in the paper, even if the model has a sampler (see `trainer fit-latents`).
    #[arg(long)]
    pub independent: bool,
}

/// Whether temperatures that are to be recommended are one for all levels, one for each, or none.
///
/// # Errors
/// [`Error::Usage`] says how many levels there are.
pub fn one_or_each(temperatures: &[f32], levels: usize) -> Result<()> {
    if [0, 1, levels].contains(&temperatures.len()) {
        return Ok(());
    }
    let problem = format!("{} temperatures for {levels} levels", temperatures.len());
    Err(Error::usage("--temperatures", problem, "give one, or one for each level"))
}

impl TemperatureArgs {
    /// Temperatures for draws of that kind from the model with that card.
    pub fn of(&self, card: &Card, latents: Latents) -> Temperature {
        let high = self.temperature.unwrap_or(USUAL);
        match (self.temperature, self.low_temperature) {
            (_, Some(low)) => Temperature::mixed(high, low, self.cutoff),
            (None, None) => card.recommended(latents).unwrap_or_else(|| Temperature::uniform(high)),
            (Some(_), None) => Temperature::uniform(high),
        }
    }

    /// How samples are drawn: jointly if the model can, with `joint`, unless `--independent` is given.
    pub fn drawing(&self, joint: Option<&Joint>, card: &Card) -> Drawing {
        let joint = joint.filter(|_| !self.independent).cloned();
        let draw = if joint.is_some() { Latents::Joint } else { Latents::Independent };
        Drawing { temperature: self.of(card, draw), joint }
    }

    /// The words that say the same on a command line.
    pub fn words(&self) -> Vec<String> {
        let cutoff = self.low_temperature.map(|_| self.cutoff.to_string());
        let text = |t: Option<f32>| t.map(|t| t.to_string());
        let options = [
            ("--temperature", text(self.temperature)),
            ("--low-temperature", text(self.low_temperature)),
            ("--cutoff", cutoff),
        ];
        let given = options.into_iter().filter_map(|(name, value)| Some([name.to_owned(), value?]));
        given.flatten().chain(self.independent.then(|| "--independent".to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        temperature: TemperatureArgs,
    }

    #[test]
    fn temperatures_are_mixed_when_asked() {
        let card = Card { temperature: vec![0.5, 0.7], ..Card::default() };
        let parse = |args: &[&str]| Line::parse_from([&["line"], args].concat()).temperature;
        let of = |args: &[&str], card: &Card| parse(args).of(card, Latents::Independent);
        assert_eq!(of(&[], &Card::default()), Temperature::uniform(0.8));
        assert_eq!(of(&[], &card), Temperature { levels: vec![0.5, 0.7] });
        assert_eq!(of(&["--temperature", "0.9"], &card), Temperature::uniform(0.9));
        let mixed = ["--low-temperature", "0.2", "--cutoff", "2"];
        assert_eq!(of(&mixed, &card), Temperature::mixed(0.8, 0.2, 2));
        assert_eq!(parse(&mixed).words(), mixed);
        assert!(parse(&[]).words().is_empty());
        assert_eq!(parse(&["--independent"]).words(), ["--independent"]);
        let joint = Card { joint_temperature: vec![0.45], ..card };
        assert_eq!(parse(&[]).of(&joint, Latents::Joint), Temperature::uniform(0.45));
    }
}
