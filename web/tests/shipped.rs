//! The models that the page ships: what the index says of them is true.
#![cfg(not(target_arch = "wasm32"))]
// A test's helpers may fail as the test itself does.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use shared::weights::ModelFile;
use web::index::ModelIndex;

/// What a model may weigh, so that the page opens in seconds.
const MAX_BYTES: u64 = 12_000_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models")
}

fn index() -> ModelIndex {
    ModelIndex::parse(&fs::read(folder().join("index.json")).unwrap()).unwrap()
}

#[test]
fn files_are_those_of_the_index() {
    let index = index();
    assert!(!index.models.is_empty());
    for model in &index.models {
        let bytes = fs::read(folder().join(&model.file)).unwrap();
        assert_eq!(bytes.len() as u64, model.bytes, "{}", model.id);
        assert!(model.bytes <= MAX_BYTES, "{}", model.id);
        let digest: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(digest, model.sha256, "{}", model.id);
        let file = ModelFile::from_bytes(&bytes).unwrap();
        assert!(file.card.bits_per_dim.is_some_and(|b| (0.5..8.0).contains(&b)), "{}", model.id);
        assert!(!file.card.licence.is_empty() && file.card.images_seen > 0, "{}", model.id);
        assert!(folder().join(format!("{}.md", model.id)).is_file(), "{} has no card", model.id);
    }
}

#[test]
fn no_model_is_left_out_of_the_index() {
    let index = index();
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".safetensors") {
            assert!(index.models.iter().any(|m| m.file == name), "{name}");
        }
    }
}
