//! `trainer export`: the weights file that the browser loads, or a folder for the Hugging Face Hub.

mod hub;
mod licence;
mod paths;

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use shared::geometry::Levels;
use shared::weights::{AnyModelFile, Card, ModelFile, NamedFactor};
use shared::{DataKind, Temperature};

use crate::args::numbers::within;
use crate::args::{DeviceArgs, PrecisionName, WhichArgs, one_or_each, test_part};
use crate::data::DataOptions;
use crate::error::{Error, Result};
use crate::files::{writable, write_atomically};
use crate::open::{AnyModel, Model, load};
use crate::output::say;

/// Arguments of `export`.
#[derive(Args, Debug, Clone)]
#[command(group(ArgGroup::new("target").required(true).args(["out", "hub"])))]
pub struct ExportArgs {
    /// Checkpoint, run folder, or weights file; what no option below changes stays on its card.
    pub model: PathBuf,
    /// Where to write the weights file.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Write a new folder as the Hugging Face Hub wants it instead: model.safetensors, config.json, a README.md with the
    /// card, a sheet of samples, and rg_flow.py, which reads the model in Python.
    #[arg(long)]
    pub hub: Option<PathBuf>,
    /// Short name of the model, for the card.
    #[arg(long)]
    pub name: Option<String>,
    /// Evaluate the model on the test part of these data, and put its bits/dim on the card.
    #[arg(long)]
    pub data: Option<String>,
    /// Skip images of --data that cannot be read, and list them, instead of stopping.
    #[arg(long)]
    pub skip_broken: bool,
    /// Name of the training data, for the card.
    #[arg(long)]
    pub dataset: Option<String>,
    /// Licence and attribution of the data, for the card.
    #[arg(long)]
    pub licence: Option<String>,
    /// Temperatures at which samples look best, 0 to 1.5, for the card: one, or one for each level, finest first,
    /// separated by commas.
    #[arg(long, value_delimiter = ',', value_parser = within(0.0..=Card::MAX_TEMPERATURE))]
    pub temperatures: Vec<f32>,
    /// A latent that does one thing, for the card, as LEVEL.ROW.COLUMN.CHANNEL=NAME; may be given several times. The
    /// strips of `trainer factors` show what latents do.
    #[arg(long = "factor", value_parser = parse_factor)]
    pub factors: Vec<NamedFactor>,
    /// Format of the stored numbers.
    #[arg(long, value_enum, default_value = "f16")]
    pub precision: PrecisionName,
    /// Which checkpoint of a run folder.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Where to compute.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Writes a weights file, or a folder with one; with data, evaluates exactly what it writes.
///
/// # Errors
/// A checkpoint that cannot be read, weights that are not finite, a file that cannot be written, a folder that is used.
pub fn run(args: ExportArgs) -> Result<()> {
    // Before an evaluation that may take hours.
    args.out.as_deref().map(writable).transpose()?;
    args.hub.as_deref().map(hub::unused).transpose()?;
    let mut file = load(&args.model, args.which.which)?;
    let of_model = Error::model(&args.model);
    fill_card(&mut file, &args)?;
    if let AnyModelFile::RgFlow(file) = &mut file
        && file.config.data == DataKind::Field
    {
        file.card.range = Some(range(file, &args)?);
    }
    let precision = args.precision.into();
    if args.data.is_some() || args.hub.is_some() {
        let written = AnyModelFile::from_bytes(&file.to_bytes(precision).map_err(&of_model)?).map_err(&of_model)?;
        let model = AnyModel::of(written, &args.model, args.device.device)?;
        if let Some(data) = &args.data {
            let [channels, size] = file.config().image_shape();
            let options = DataOptions { size, skip_broken: args.skip_broken, ..DataOptions::default() };
            let test = test_part(data, &options, channels)?;
            let score = model.engine.bits_per_dim(&test.images, 1)?;
            let (unit, what) =
                (file.config().data().unit(), if test.images.kind() == DataKind::Field { "fields" } else { "images" });
            say!("{:.4} ± {:.4} {unit} on {} test {what}", score.mean, score.standard_error, score.images)?;
            file.card_mut().bits_per_dim = Some((score.mean * 1e4).round() / 1e4);
        }
        if let Some(folder) = &args.hub {
            let bytes = file.to_bytes(precision).map_err(&of_model)?;
            return hub::write(folder, &bytes, file.card(), &model);
        }
    }
    let bytes = file.to_bytes(precision).map_err(&of_model)?;
    let Some(out) = &args.out else { return Ok(()) };
    write_atomically(out, &bytes)?;
    say!("{}: {:.2} MB", out.display(), bytes.len() as f64 / 1e6)
}

/// What the colours of a model's fields range to: twice the root mean square of its samples, to a tenth.
fn range(file: &ModelFile, args: &ExportArgs) -> Result<f32> {
    const SAMPLES: u64 = 256;
    let model = Model::of(file.clone(), &args.model, args.device.device)?;
    let fields = model.engine.decode(&model.draw(0, SAMPLES, &Temperature::uniform(1.0)))?;
    let square = fields.iter().map(|&phi| f64::from(phi).powi(2)).sum::<f64>() / fields.len() as f64;
    Ok(((20.0 * square.sqrt()).round() / 10.0) as f32)
}

/// Puts what the command line says on the card. A card is read by others: no text on it keeps a local path.
fn fill_card(file: &mut AnyModelFile, args: &ExportArgs) -> Result<()> {
    let levels = file.config().level_count();
    one_or_each(&args.temperatures, levels)?;
    if !args.factors.is_empty() {
        name_factors(file, &args.factors)?;
    }
    let card = file.card_mut();
    for (text, given) in
        [(&mut card.name, &args.name), (&mut card.dataset, &args.dataset), (&mut card.licence, &args.licence)]
    {
        if let Some(given) = given {
            text.clone_from(given);
        }
    }
    if !args.temperatures.is_empty() {
        card.temperature.clone_from(&args.temperatures);
    }
    card.dataset = paths::of_dataset(&card.dataset);
    let texts = [&mut card.name, &mut card.dataset, &mut card.licence, &mut card.training];
    for text in texts.into_iter().chain(card.factors.iter_mut().map(|factor| &mut factor.name)) {
        *text = paths::without_folders(text);
    }
    Ok(())
}

/// Puts the latents' names on the card; a latent that the model does not have is an error.
fn name_factors(file: &mut AnyModelFile, factors: &[NamedFactor]) -> Result<()> {
    let usage = |problem, advice| Error::usage("--factor", problem, advice);
    if factors.len() > Card::MAX_FACTORS {
        let problem = format!("{} named latents, but only {} can be shown", factors.len(), Card::MAX_FACTORS);
        return Err(usage(problem, "name the clearest ones"));
    }
    let AnyModelFile::RgFlow(model) = &*file else {
        return Err(usage("latents of a Real NVP have no place in the picture".into(), "name latents of an RG-Flow"));
    };
    let levels = Levels::new(&model.config);
    if let Some(problem) = factors.iter().find_map(|factor| levels.index(factor.at).err()) {
        return Err(usage(problem.to_string(), "take addresses from the strips of `trainer factors`"));
    }
    file.card_mut().factors = factors.to_vec();
    Ok(())
}

fn parse_factor(text: &str) -> std::result::Result<NamedFactor, String> {
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
    use burn::backend::Flex;
    use shared::weights::ModelFile;
    use shared::{RgFlow, RgFlowConfig};

    #[test]
    fn only_latents_that_are_there_get_a_name() {
        let config = RgFlowConfig::tiny();
        let model = RgFlow::<Flex>::random(&config, 0.1, 1, &Default::default()).unwrap();
        let mut file = AnyModelFile::RgFlow(ModelFile::from_model(&model, Card::default()));
        let factor = |at: &str| NamedFactor { at: at.parse().unwrap(), name: "warmth".into() };
        let error = name_factors(&mut file, &[factor("2.0.1.0"), factor("5.0.0.0")]).unwrap_err().to_string();
        assert!(error.contains("--factor") && error.contains("trainer factors"), "{error}");
        assert!(name_factors(&mut file, &vec![factor("2.0.1.0"); 25]).unwrap_err().to_string().contains("25"));
        assert!(file.card().factors.is_empty());
        name_factors(&mut file, &[factor("2.0.1.0")]).unwrap();
        assert_eq!(file.card().factors, [factor("2.0.1.0")]);
    }

    #[test]
    fn factors_are_an_address_and_a_name() {
        let factor = parse_factor("3.1.0.2= light, warm = high ").unwrap();
        assert_eq!((factor.at.to_string().as_str(), factor.name.as_str()), ("3.1.0.2", "light, warm = high"));
        for (bad, says) in [("3.1.0.2", "=NAME"), ("3.1=light", "LEVEL.ROW"), ("3.1.0.2= ", "empty")] {
            assert!(parse_factor(bad).unwrap_err().contains(says), "{bad}");
        }
    }
}
