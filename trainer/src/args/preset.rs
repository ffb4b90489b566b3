//! Architectures by name.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use shared::ModelConfig;

/// An architecture and its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// One of [`ModelConfig::presets`].
    pub name: String,
    /// The architecture of that name.
    pub config: ModelConfig,
}

/// The names of [`ModelConfig::presets`], which `--help` and errors list.
pub fn preset() -> impl TypedValueParser<Value = Preset> {
    PossibleValuesParser::new(ModelConfig::presets()).try_map(|name| match ModelConfig::preset(&name) {
        Some(config) => Ok(Preset { name, config }),
        None => Err(format!("no preset is called {name}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser, Debug)]
    struct Line {
        #[arg(value_parser = preset())]
        preset: Preset,
    }

    #[test]
    fn every_preset_is_known_by_its_name_and_no_other_is() {
        for name in ModelConfig::presets() {
            let found = Line::try_parse_from(["line", name]).unwrap().preset;
            assert_eq!((found.name.as_str(), Some(found.config)), (name, ModelConfig::preset(name)));
        }
        let error = Line::try_parse_from(["line", "huge"]).unwrap_err().to_string();
        assert!(ModelConfig::presets().into_iter().all(|name| error.contains(name)), "{error}");
    }
}
