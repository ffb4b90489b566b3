//! What the page and its worker say to each other.
//!
//! Every request has an id of the page's choosing; every response names the request it answers. A request ends with
//! a response that [is the last](ResponseKind::is_last), after any number of parts. The worker serves requests one
//! after the other and looks for cancellations between the parts of each.

pub mod edit;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use shared::weights::Card;
use shared::{RgFlowConfig, Temperature};
use wasm_bindgen::JsValue;

use crate::error::{Error, Result};
use crate::index::{ModelEntry, ModelIndex};
use edit::{EditAnswer, EditKind};

/// Raised when these types change: a page refuses a worker that a browser kept from an older visit.
pub const PROTOCOL: u32 = 2;

/// What identifies a request. 0 is nobody's: responses with it are about the worker itself.
pub type RequestId = u32;

/// From the page to the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The page's number for it.
    pub id: RequestId,
    /// What is wanted.
    pub kind: RequestKind,
}

/// What the page can want.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// The list of models.
    Index {
        /// Its address.
        url: String,
    },
    /// Fetch a model and get ready to run it.
    Load {
        /// The address of the models' folder, with its last slash.
        base: String,
        /// The model.
        model: ModelEntry,
    },
    /// What to run models on from now on.
    Use {
        /// The reader's choice.
        backend: BackendChoice,
    },
    /// Get ready to run a model of the reader's own; the loaded one goes when this one is there.
    Open {
        /// The weights file.
        bytes: ByteBuf,
    },
    /// Pictures, each in a response of its own, in the order of `indices`.
    Sample {
        /// The seed, at most [`crate::fragment::MAX_SEED`].
        seed: u64,
        /// Which samples of that seed.
        indices: Vec<u32>,
        /// Factors on the prior's scale.
        temperature: Temperature,
    },
    /// A picture edited in latent space.
    Edit(EditKind),
    /// Forget a request, served or waiting.
    Cancel {
        /// Its id.
        request: RequestId,
    },
}

/// What to run a model on, as the reader chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackendChoice {
    /// Whatever is quickest here.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// WebGPU, however quick, as long as it is right.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// The processor, with WebAssembly's 128-bit vectors.
    Cpu,
    /// WebGPU.
    Gpu,
}

impl Backend {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU (SIMD)",
            Self::Gpu => "WebGPU",
        }
    }
}

/// From the worker to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// The request that this answers.
    pub id: RequestId,
    /// The answer, or a part of it.
    pub kind: ResponseKind,
}

/// What the worker can say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseKind {
    /// The worker is up. Sent once, unasked.
    Hello {
        /// Its [`PROTOCOL`].
        protocol: u32,
    },
    /// The list of models.
    Index(ModelIndex),
    /// What pictures are made on from now on. Said unasked, with id 0.
    RunsOn {
        /// The backend.
        backend: Backend,
        /// Why, for people.
        note: String,
    },
    /// Bytes of a model so far.
    Progress {
        /// Bytes here.
        loaded: u64,
        /// Bytes in all.
        total: u64,
    },
    /// The model is loaded.
    Ready(Box<ModelInfo>),
    /// One picture.
    Picture(Picture),
    /// An edit's result so far.
    EditPart(EditAnswer),
    /// An edit's result.
    Edited(EditAnswer),
    /// Nothing more comes for this request.
    Done,
    /// The request was cancelled, and nothing more comes for it.
    Cancelled,
    /// The request failed, and nothing more comes for it.
    Failed {
        /// Why, for people.
        message: String,
    },
}

impl ResponseKind {
    /// Whether nothing more comes for the request.
    pub fn is_last(&self) -> bool {
        match self {
            Self::Index(_) | Self::Ready(_) | Self::Edited(_) | Self::Done | Self::Cancelled | Self::Failed { .. } => {
                true
            }
            Self::Hello { .. } | Self::RunsOn { .. } | Self::Progress { .. } | Self::Picture(_) | Self::EditPart(_) => {
                false
            }
        }
    }
}

/// A loaded model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// The architecture.
    pub config: RgFlowConfig,
    /// What to know of the weights.
    pub card: Card,
    /// What it runs on.
    pub backend: Backend,
    /// Whether the weights came from the browser's cache.
    pub cached: bool,
    /// How long fetching and reading took.
    pub millis: f64,
}

/// A picture, ready to show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Which sample of the seed.
    pub index: u32,
    /// Its edge.
    pub size: u32,
    /// Four bytes a pixel, row by row.
    pub rgba: ByteBuf,
    /// How unlikely it is, in bits a number.
    pub bits: f32,
    /// How long it took.
    pub millis: f64,
}

/// A message as `postMessage` takes it; bytes become a `Uint8Array`.
///
/// # Errors
/// [`Error::Request`] if a number is beyond what JavaScript holds exactly.
pub fn to_js<T: Serialize>(message: &T) -> Result<JsValue> {
    serde_wasm_bindgen::to_value(message).map_err(|e| Error::Request(e.to_string()))
}

/// A message that may be anything.
///
/// # Errors
/// [`Error::Request`] if it is none of this version's.
pub fn from_js<T: for<'a> Deserialize<'a>>(value: JsValue) -> Result<T> {
    serde_wasm_bindgen::from_value(value).map_err(|e| Error::Request(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::edit::{Image, MixCell, Source};
    use super::*;

    fn survives<T: Serialize + for<'a> Deserialize<'a> + PartialEq + std::fmt::Debug>(message: &T) -> String {
        let json = serde_json::to_string(message).unwrap();
        assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), message);
        json
    }

    #[test]
    fn requests_survive() {
        let temperature = Temperature::mixed(0.8, 0.2, 1);
        let kind = RequestKind::Sample { seed: 7, indices: vec![0, 3], temperature };
        assert_eq!(
            survives(&Request { id: 4, kind }),
            r#"{"id":4,"kind":{"sample":{"seed":7,"indices":[0,3],"temperature":{"levels":[0.2,0.8]}}}}"#
        );
        survives(&Request { id: 5, kind: RequestKind::Cancel { request: 4 } });
        let model = ModelEntry {
            id: "faces".into(),
            title: "Faces".into(),
            file: "faces.safetensors".into(),
            bytes: 1,
            sha256: "0".repeat(64),
            description: String::new(),
            licence: String::new(),
            default: true,
            holes: vec![],
        };
        let kind = RequestKind::Load { base: "http://x/".into(), model };
        survives(&Request { id: 6, kind });
        survives(&Request { id: 7, kind: RequestKind::Use { backend: BackendChoice::Gpu } });
        survives(&Request { id: 7, kind: RequestKind::Open { bytes: ByteBuf::from([1]) } });
        let sample = Source::Sample { seed: 7, index: 1, temperature: Temperature::uniform(0.5) };
        let own = Source::Own { rgb: ByteBuf::from([1, 2, 3]) };
        let cells = vec![MixCell { high: 0, low: 1, cut: 2 }];
        let kind = EditKind::Mix { sources: vec![sample.clone(), own.clone()], cells };
        survives(&Request { id: 8, kind: RequestKind::Edit(kind) });
        let kind = EditKind::Interpolate { a: sample, b: own, share: 0.5 };
        survives(&Request { id: 9, kind: RequestKind::Edit(kind) });
    }

    #[test]
    fn responses_survive() {
        let info = ModelInfo {
            config: RgFlowConfig::tiny(),
            card: Card { bits_per_dim: Some(3.5), ..Card::default() },
            backend: Backend::Cpu,
            cached: true,
            millis: 1.5,
        };
        let rgba = ByteBuf::from([0, 1, 2, 255]);
        for kind in [
            ResponseKind::Hello { protocol: PROTOCOL },
            ResponseKind::Index(ModelIndex { format: 1, models: vec![] }),
            ResponseKind::RunsOn { backend: Backend::Gpu, note: "fast".into() },
            ResponseKind::Progress { loaded: 1, total: 2 },
            ResponseKind::Ready(Box::new(info)),
            ResponseKind::Picture(Picture { index: 3, size: 1, rgba, bits: 3.5, millis: 2.0 }),
            ResponseKind::Edited(EditAnswer::Images(vec![Image { size: 1, rgba: ByteBuf::from([0, 1, 2, 255]) }])),
            ResponseKind::Done,
            ResponseKind::Cancelled,
        ] {
            survives(&Response { id: 1, kind });
        }
    }

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

    #[test]
    fn parts_and_last_answers_are_told_apart() {
        assert!(ResponseKind::Done.is_last() && ResponseKind::Failed { message: String::new() }.is_last());
        assert!(!ResponseKind::Progress { loaded: 1, total: 2 }.is_last());
    }

    #[test]
    fn a_failure_is_spelled_as_the_workers_script_spells_it() {
        // web/js/engine.js writes this when the engine does not even start.
        let json = r#"{"id":0,"kind":{"failed":{"message":"x"}}}"#;
        let response: Response = serde_json::from_str(json).unwrap();
        assert_eq!(response.kind, ResponseKind::Failed { message: "x".into() });
    }
}
