//! The architecture of a run.

mod json;

use std::path::Path;

use shared::{ModelConfig, RgFlowConfig};

use super::args::TrainArgs;
use crate::error::{Error, Result};
use crate::files::read_limited;

/// The architecture that the options name, if they do; --prior is not applied to it.
///
/// # Errors
/// A file that cannot be read or is not a configuration, a size, place features or shared levels that the architecture cannot
/// have.
pub fn architecture(args: &TrainArgs) -> Result<Option<ModelConfig>> {
    let base = match (&args.config, &args.preset) {
        (Some(path), _) => Some(read_config(path)?),
        (None, preset) => preset.as_ref().map(|preset| preset.config.clone()),
    };
    if args.size.is_none() && args.place_features.is_none() && args.places_from.is_none() && !args.share_levels {
        return Ok(base);
    }
    let mut config = base.unwrap_or_else(|| RgFlowConfig::demo().into());
    if args.share_levels {
        config = with_shared_levels(config)?;
    }
    if let Some(size) = args.size {
        config = config.resized(size).map_err(Error::model("--size".as_ref()))?;
    }
    config = with_places(args, config)?;
    config.validate().map_err(Error::model("--share-levels".as_ref()))?;
    Ok(Some(config))
}

/// The same architecture with one pair of bijectors for all levels.
fn with_shared_levels(config: ModelConfig) -> Result<ModelConfig> {
    match config {
        ModelConfig::RgFlow(config) => Ok(config.shared().into()),
        ModelConfig::RealNvp(_) => {
            let problem = "a Real NVP has no RG levels";
            Err(Error::usage("--share-levels", problem, "leave it out, or train an RG-Flow"))
        }
    }
}

/// The same architecture with the place features of `--place-features`, if it is given.
///
/// # Errors
/// A Real NVP, which has no places, and a level that the architecture does not have.
fn with_places(args: &TrainArgs, config: ModelConfig) -> Result<ModelConfig> {
    if args.place_features.is_none() && args.places_from.is_none() {
        return Ok(config);
    }
    match config {
        ModelConfig::RgFlow(config) => {
            let place_features = args.place_features.unwrap_or(config.place_features);
            let places_from = args.places_from.unwrap_or(config.places_from);
            if args.places_from.is_some() && place_features == 0 {
                let problem = "there are no place features to begin with";
                return Err(Error::usage("--places-from", problem, "give --place-features, too"));
            }
            let config = ModelConfig::from(RgFlowConfig { place_features, places_from, ..config });
            config.validate().map_err(Error::model("--places-from".as_ref()))?;
            Ok(config)
        }
        ModelConfig::RealNvp(_) => {
            let problem = "a Real NVP has no places: its nets see the whole picture";
            Err(Error::usage("--place-features", problem, "leave it out, or train an RG-Flow"))
        }
    }
}

/// The options that ask for another architecture than `own`, which weights have already, with the reason why not.
///
/// # Errors
/// As [`architecture`].
pub fn conflicts(args: &TrainArgs, own: &ModelConfig) -> Result<Vec<String>> {
    let mut conflicts = Vec::new();
    let [_, size] = own.image_shape();
    if args.config.is_some() || args.preset.is_some() {
        let option = if args.config.is_some() { "--config" } else { "--preset" };
        if architecture(args)?.is_some_and(|config| config.with_prior(own.prior()) != *own) {
            let option = if args.size.is_some() { format!("{option}, --size") } else { option.to_owned() };
            conflicts.push(format!("its architecture ({option}), because its weights fit no other"));
        }
    } else if args.size.is_some_and(|other| other != size) {
        conflicts.push(format!("its image size of {size} (--size), because its weights fit no other"));
    } else if with_places(args, own.clone())? != *own {
        conflicts.push("its place features (--place-features), because its weights fit no others".into());
    }
    let shares = matches!(own, ModelConfig::RgFlow(config) if config.share_levels);
    if args.share_levels && !shares && args.config.is_none() && args.preset.is_none() {
        conflicts.push("a pair of bijectors for each level (--share-levels)".into());
    }
    if args.prior.is_some_and(|prior| prior != own.prior()) {
        conflicts.push("its prior (--prior), for which its weights were trained".into());
    }
    Ok(conflicts)
}

/// Reads the file of `--config`.
///
/// # Errors
/// A file that cannot be read or is not a configuration.
pub fn read_config(path: &Path) -> Result<ModelConfig> {
    let bytes = read_limited(path, 1 << 20)?;
    let config = json::read(&bytes).map_err(|problem| Error::Content {
        file: path.display().to_string(),
        problem: format!("not a model configuration: {problem}"),
        advice: "`trainer info --config MODEL` prints one to start from".into(),
    })?;
    config.validate().map_err(Error::model(path))?;
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
    fn the_config_file_of_the_critical_field_is_the_preset_with_larger_nets() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/phi4.json");
        let ModelConfig::RgFlow(config) = read_config(&path).unwrap() else { panic!("it is an RG-Flow") };
        let preset = RgFlowConfig::phi4();
        assert!(config.levels.iter().zip(&preset.levels).all(|(a, b)| a.layers > b.layers && a.hidden > b.hidden));
        assert_eq!(RgFlowConfig { levels: preset.levels.clone(), ..config }, preset);
    }

    #[test]
    fn the_config_file_with_splines_is_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/splines.json");
        assert!(
            matches!(read_config(&path).unwrap(), ModelConfig::RgFlow(config) if config.coupling == CouplingKind::Spline(5))
        );
    }

    #[test]
    fn a_config_that_is_none_is_named_with_the_key_and_the_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine.json");
        let whole = serde_json::to_string_pretty(&ModelConfig::preset("tiny").unwrap()).unwrap();
        let spoilt = |from: &str, to: &str| whole.replacen(from, to, 1);
        for (text, parts) in [
            ("{".to_owned(), ["line 1", "EOF"]),
            (r#"{"size": 32}"#.to_owned(), ["line 1", "missing field"]),
            ("[1]".to_owned(), ["line 1", "a model configuration"]),
            (spoilt("\"hidden\": 12", "\"hidden\": \"wide\""), ["levels[0].hidden", "line 12 column"]),
            (spoilt("\"mlp\"", "\"depth\""), ["levels[0]", "unknown field `depth`"]),
            (spoilt("\"size\": 16", "\"size\": -16"), ["size: ", "line 2 column"]),
            (spoilt("\"block\": 4", "\"block\": 3"), ["block is 3", "even"]),
            (spoilt("\"hidden\": 12", "\"hidden\": 0"), ["levels[0].hidden is 0", "1 to 4096"]),
            (spoilt("{", "{\n\"architecture\": \"glow\","), ["glow", "real-nvp"]),
            (spoilt("{", "{\n\"architecture\": \"real-nvp\","), ["unknown field `block`", "line 5"]),
        ] {
            std::fs::write(&path, &text).unwrap();
            let error = read_config(&path).unwrap_err().to_string();
            assert!(error.contains("mine.json") && parts.iter().all(|part| error.contains(part)), "{text}: {error}");
        }
    }
}
