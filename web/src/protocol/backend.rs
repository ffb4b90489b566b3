//! What models run on.

use serde::{Deserialize, Serialize};

/// What to run a model on, as the reader chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackendChoice {
    /// Whatever is fastest here.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// WebGPU, however fast, as long as it is right.
    Gpu,
}

impl BackendChoice {
    /// All of them, as addresses and the page's control spell them.
    const NAMES: [(&'static str, Self); 3] = [("auto", Self::Auto), ("cpu", Self::Cpu), ("webgpu", Self::Gpu)];

    /// Its name in addresses.
    pub fn name(self) -> &'static str {
        Self::NAMES.into_iter().find(|&(_, choice)| choice == self).map_or("auto", |(name, _)| name)
    }

    /// The choice of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|&(known, _)| known == name).map(|(_, choice)| choice)
    }

    /// What the query of the page's address asks for: `?backend=cpu`.
    pub fn from_query(query: &str) -> Option<Self> {
        let mut pairs = query.trim_start_matches('?').split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == "backend").and_then(|(_, name)| Self::from_name(name))
    }
}

/// What a model runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// The processor, with WebAssembly's 128-bit vectors.
    #[default]
    Cpu,
    /// WebGPU.
    Gpu,
}

impl Backend {
    /// Its name on the page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU (SIMD)",
            Self::Gpu => "WebGPU",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_choose_a_backend() {
        for (query, choice) in [
            ("?backend=webgpu", Some(BackendChoice::Gpu)),
            ("?x=1&backend=cpu&y", Some(BackendChoice::Cpu)),
            ("?backend=auto", Some(BackendChoice::Auto)),
            ("?backend=WEBGPU", None),
            ("?backend", None),
            ("", None),
        ] {
            assert_eq!(BackendChoice::from_query(query), choice, "{query}");
        }
        for choice in [BackendChoice::Auto, BackendChoice::Cpu, BackendChoice::Gpu] {
            assert_eq!(BackendChoice::from_name(choice.name()), Some(choice));
        }
    }
}
