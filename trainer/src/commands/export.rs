//! `trainer export`.

use shared::geometry::Levels;
use shared::weights::{AnyModelFile, Card, NamedFactor, Precision};

use super::eval::Eval;
use super::model::Loaded;
use crate::cli::{ExportArgs, PrecisionName};
use crate::data::DataOptions;
use crate::device::dispatch;
use crate::error::{Error, Result};
use crate::files::{writable, write_atomically};
use crate::output::say;

/// Writes a weights file; with data, evaluates exactly what it writes.
///
/// # Errors
/// A checkpoint that cannot be read, weights that are not finite, a file that cannot be written.
pub fn run(args: ExportArgs) -> Result<()> {
    // Not after an evaluation of hours.
    writable(&args.out)?;
    let Loaded { mut file, state } = super::model::load_any(&args.model)?;
    let of_model = |source| Error::Model { file: args.model.display().to_string(), source };
    if let Some(name) = &args.name {
        file.card_mut().name = name.clone();
    }
    if let Some(dataset) = &args.dataset {
        file.card_mut().dataset = dataset.clone();
    }
    if let Some(licence) = &args.licence {
        file.card_mut().licence = licence.clone();
    }
    let levels = file.config().level_count();
    if ![0, 1, levels].contains(&args.temperatures.len()) {
        let problem = format!("{} temperatures for {levels} levels", args.temperatures.len());
        return Err(Error::usage("--temperatures", problem, "give one, or one a level"));
    }
    if !args.temperatures.is_empty() {
        file.card_mut().temperature = args.temperatures.clone();
    }
    if !args.factors.is_empty() {
        name_factors(&mut file, &args.factors)?;
    }
    let precision = precision(args.precision);
    if let Some(data) = &args.data {
        let [channels, size] = file.config().image_shape();
        let options = DataOptions { size, skip_broken: args.skip_broken, ..DataOptions::default() };
        let test = super::test_part(data, &options, channels)?;
        let written = AnyModelFile::from_bytes(&file.to_bytes(precision).map_err(of_model)?).map_err(of_model)?;
        let loaded = Loaded { file: written, state };
        let job = Eval { loaded: &loaded, path: &args.model, images: &test.images, draws: 1 };
        let score = dispatch(args.device.device, job)?;
        say!("{:.4} ± {:.4} bits/dim on {} test images", score.mean, score.standard_error, score.images)?;
        file.card_mut().bits_per_dim = Some((score.mean * 1e4).round() / 1e4);
    }
    let bytes = file.to_bytes(precision).map_err(of_model)?;
    write_atomically(&args.out, &bytes)?;
    say!("{}: {:.2} MB", args.out.display(), bytes.len() as f64 / 1e6)?;
    Ok(())
}

/// Notes on the card what latents do; latents that the model lacks are an error.
fn name_factors(file: &mut AnyModelFile, factors: &[NamedFactor]) -> Result<()> {
    let usage = |problem, advice| Error::usage("--factor", problem, advice);
    if factors.len() > Card::MAX_FACTORS {
        let problem = format!("{} named latents, where {} are shown", factors.len(), Card::MAX_FACTORS);
        return Err(usage(problem, "name the clearest"));
    }
    let AnyModelFile::RgFlow(model) = &*file else {
        return Err(usage("a Real NVP's latents have no place in the picture".into(), "name those of an RG-Flow"));
    };
    let levels = Levels::new(&model.config);
    if let Some(problem) = factors.iter().find_map(|factor| levels.index(factor.at).err()) {
        return Err(usage(problem.to_string(), "take addresses from the strips of `trainer factors`"));
    }
    file.card_mut().factors = factors.to_vec();
    Ok(())
}

/// As the library takes it.
pub fn precision(name: PrecisionName) -> Precision {
    match name {
        PrecisionName::F16 => Precision::F16,
        PrecisionName::F32 => Precision::F32,
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
}
