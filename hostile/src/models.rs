//! Weights files, checkpoints, the authors' checkpoints, configurations.

use std::fs;

use burn::backend::Flex;
use clap::Parser;
use safetensors::SafeTensors;
use serde_json::{Value, json};
use shared::real_nvp::{RealNvp, RealNvpConfig};
use shared::weights::{AnyModelFile, Card, Precision};
use shared::{CouplingKind, LevelConfig, Model, ModelConfig, RgFlow, RgFlowConfig};
use trainer::cli::{self, Cli};
use trainer::commands::import::official;
use trainer::commands::train::read_config;
use trainer::open;
use trainer::train::best::Which;

use crate::parts::{filled, join, split, with_header};
use crate::pickled;
use crate::scratch::Scratch;

/// A model that is soon written, read and run.
pub fn small() -> RgFlowConfig {
    let level = LevelConfig { layers: 1, res_blocks: 1, mlp: 1, hidden: 1 };
    RgFlowConfig { channels: 1, block: 2, ..RgFlowConfig::new(4, vec![level; 2]) }
}

/// A weights file: whole, or as header and numbers, or as configuration, card, version, tensors' places and numbers.
pub fn weights(bytes: &[u8]) {
    let file = match split(bytes)[..] {
        [header, numbers] => with_header(header, numbers),
        [config, card, version, tensors, numbers] => {
            let text = |part: &[u8]| String::from_utf8_lossy(part).into_owned();
            let metadata = json!({
                "format": "rg-flow", "format_version": text(version), "config": text(config), "card": text(card),
            });
            let header = format!(r#"{{"__metadata__":{metadata},{}}}"#, text(tensors));
            with_header(header.as_bytes(), &filled(numbers))
        }
        _ => bytes.to_vec(),
    };
    let Ok(model) = AnyModelFile::from_bytes(&file) else { return };
    model.config().validate().expect("what was read describes a model");
    let again = model.to_bytes(Precision::F32).expect("what was read can be written");
    let read = AnyModelFile::from_bytes(&again).expect("what was written can be read");
    assert_eq!((read.config(), read.card()), (model.config(), model.card()));
    if model.config().macs() < 1 << 16 {
        model.to_flow::<Flex>(&Default::default()).expect("what was read can be run");
    }
}

pub fn weights_seeds() -> Vec<Vec<u8>> {
    let splines = RgFlowConfig { coupling: CouplingKind::Spline(2), ..small() };
    let all = RgFlowConfig { linear_maps: true, mean_image: true, place_features: 1, ..small() };
    let shared = RgFlowConfig { share_levels: true, ..small() };
    let flows = [small(), splines, all, shared]
        .map(|config| Model::RgFlow(RgFlow::<Flex>::random(&config, 0.1, 1, &Default::default()).unwrap()));
    let rival = RealNvp::random(&small_rival(), 0.1, 1, &Default::default()).unwrap();
    let card = Card { name: "x".into(), temperature: vec![0.5], ..Card::default() };
    let mut seeds = Vec::new();
    for model in flows.into_iter().chain([Model::RealNvp(rival)]) {
        let file = AnyModelFile::from_model(&model, card.clone());
        let whole = file.to_bytes(Precision::F16).unwrap();
        let length = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
        let header: Value = serde_json::from_slice(&whole[8..length]).unwrap();
        let metadata = |key: &str| header["__metadata__"][key].as_str().unwrap().to_owned();
        let mut places = header.as_object().unwrap().clone();
        places.remove("__metadata__");
        let places = Value::Object(places).to_string();
        let (config, card, version) = (metadata("config"), metadata("card"), metadata("format_version"));
        let places = places.trim_start_matches('{').trim_end_matches('}').to_owned() + "}";
        seeds.push(join(&[
            config.as_bytes(),
            card.as_bytes(),
            version.as_bytes(),
            places.as_bytes(),
            &whole[length..],
        ]));
        seeds.push(join(&[&whole[8..length], &whole[length..]]));
        seeds.push(whole);
    }
    seeds
}

fn small_rival() -> RealNvpConfig {
    let mut config = RealNvpConfig::tiny();
    config.channels = 1;
    config.size = 4;
    config.scales.truncate(2);
    config
}

/// A checkpoint: whole, or as state and the four records.
pub fn checkpoint(bytes: &[u8]) {
    const RECORDS: [&str; 4] = ["model", "average", "first_moment", "second_moment"];
    let file = match split(bytes)[..] {
        [state, ref records @ ..] if records.len() == RECORDS.len() => {
            let mut header = serde_json::Map::new();
            let state = String::from_utf8_lossy(state).into_owned();
            header.insert("__metadata__".into(), json!({ "format": "rg-flow-checkpoint-1", "state": state }));
            let mut start = 0;
            for (name, record) in RECORDS.iter().zip(records) {
                let end = start + record.len();
                let place = json!({ "dtype": "U8", "shape": [record.len()], "data_offsets": [start, end] });
                header.insert((*name).into(), place);
                start = end;
            }
            with_header(Value::Object(header).to_string().as_bytes(), &records.concat())
        }
        _ => bytes.to_vec(),
    };
    let scratch = Scratch::new();
    let path = scratch.write("x.ckpt", &file);
    let about = open::about(&path, Which::Last);
    if let Ok(model) = open::load(&path, Which::Last) {
        let about = about.expect("what can be loaded can be described");
        assert_eq!(about.config, model.config());
    }
}

/// What a run of one step leaves, of either architecture.
pub fn checkpoint_seeds() -> Vec<Vec<u8>> {
    let level = LevelConfig { layers: 1, res_blocks: 1, mlp: 1, hidden: 1 };
    let flow = RgFlowConfig { block: 2, ..RgFlowConfig::new(8, vec![level; 3]) };
    let rival = RealNvpConfig { channels: 3, size: 8, ..small_rival() };
    let mut seeds = Vec::new();
    for config in [ModelConfig::from(flow), rival.into()] {
        let scratch = Scratch::new();
        scratch.write("config.json", serde_json::to_string(&config).unwrap().as_bytes());
        let (config, out) = (scratch.path().join("config.json"), scratch.path().join("run"));
        let line = format!(
            "trainer train --data msds1 --limit 4 --test-limit 2 --batch 2 --steps 1 --device cpu --config {} --out {}",
            config.display(),
            out.display()
        );
        cli::run(Cli::try_parse_from(line.split(' ')).unwrap()).unwrap();
        let whole = fs::read(out.join("checkpoints/step-00000001.ckpt")).unwrap();
        let file = SafeTensors::deserialize(&whole).unwrap();
        let (_, header) = SafeTensors::read_metadata(&whole).unwrap();
        let state = header.metadata().as_ref().unwrap()["state"].clone();
        let record = |name: &str| file.tensor(name).unwrap().data();
        let records = [record("model"), record("average"), record("first_moment"), record("second_moment")];
        seeds.push(join(&[&[state.as_bytes()][..], &records[..]].concat()));
        seeds.push(whole);
    }
    seeds
}

/// A checkpoint of the authors' code: whole, or as a pickle, the bytes' order and the storages.
pub fn torch(bytes: &[u8]) {
    let file = match split(bytes)[..] {
        [pickle, order, ref storages @ ..] => {
            let storages: Vec<Vec<u8>> = storages.iter().map(|storage| filled(storage)).collect();
            pickled::archive(pickle, order, &storages)
        }
        _ => bytes.to_vec(),
    };
    let scratch = Scratch::new();
    if let Ok(model) = official::import(&scratch.write("x.state", &file)) {
        model.config.validate().expect("what was read describes a model");
        // Numbers that are not finite are refused here, by name.
        let _ = model.to_bytes(Precision::F32);
    }
}

/// The file of `train --config`.
pub fn config(bytes: &[u8]) {
    let scratch = Scratch::new();
    let Ok(config) = read_config(&scratch.write("x.json", bytes)) else { return };
    let json = serde_json::to_string(&config).unwrap();
    assert_eq!(
        read_config(&scratch.write("y.json", json.as_bytes())).expect("what was read can be read again"),
        config
    );
    assert!(config.param_count() > 0 && config.macs() > 0 && config.dims() > 0);
    for size in [0, 1, 16, 24, 64, usize::MAX] {
        if let Ok(resized) = config.clone().resized(size) {
            resized.validate().expect("another size is one that can be had");
        }
    }
}

pub fn config_seeds() -> Vec<Vec<u8>> {
    let splines = RgFlowConfig { coupling: CouplingKind::Spline(5), linear_maps: true, ..RgFlowConfig::tiny() };
    let configs: [ModelConfig; 4] =
        [RgFlowConfig::tiny().into(), splines.into(), RealNvpConfig::tiny().into(), small().into()];
    configs.iter().map(|config| serde_json::to_vec_pretty(config).unwrap()).collect()
}
