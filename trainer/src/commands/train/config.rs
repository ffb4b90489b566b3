//! The architecture of a run.

use std::path::Path;

use shared::ModelConfig;

use super::args::TrainArgs;
use crate::error::{Error, Result};
use crate::files::read_limited;

/// The architecture that the options name, if they do; --prior is not applied to it.
///
/// # Errors
/// A file that cannot be read or is not a configuration.
pub fn architecture(args: &TrainArgs) -> Result<Option<ModelConfig>> {
    match (&args.config, &args.preset) {
        (Some(path), _) => read_config(path).map(Some),
        (None, preset) => Ok(preset.as_ref().map(|preset| preset.config.clone())),
    }
}

fn read_config(path: &Path) -> Result<ModelConfig> {
    let bytes = read_limited(path, 1 << 20)?;
    let config: ModelConfig = serde_json::from_slice(&bytes).map_err(|e| Error::Content {
        file: path.display().to_string(),
        problem: format!("not a model configuration ({e})"),
        advice: "`trainer info` prints one to start from".into(),
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
