//! Writes a model of random weights and a list with it alone into a folder: `random_model FOLDER [PRESET]`.
//!
//! For working on the page before a model is trained, and for tests of the page:
//! `cargo run -p web --example random_model dist/models` after a build.

use std::error::Error;
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use shared::RgFlowConfig;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let dir = PathBuf::from(args.next().ok_or("which folder?")?);
    let preset = args.next().unwrap_or_else(|| "deep".to_owned());
    let config = RgFlowConfig::preset(&preset).ok_or("no such preset")?;
    let bytes = web::engine::random::model_bytes(&config, &format!("random {preset}"))?;
    let id = format!("random-{preset}");
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let index = serde_json::json!({ "format": 1, "models": [{
        "id": id, "title": format!("Noise ({preset})"), "file": format!("{id}.safetensors"), "bytes": bytes.len(),
        "sha256": digest, "description": "Random weights, for working on the page.", "default": true,
    }]});
    std::fs::create_dir_all(&dir)?;
    std::fs::write(dir.join(format!("{id}.safetensors")), &bytes)?;
    std::fs::write(dir.join("index.json"), serde_json::to_string_pretty(&index)? + "\n")?;
    println!("{}: {} bytes", dir.join(id).display(), bytes.len());
    Ok(())
}
