//! What the page reads: its address, pictures in addresses, the list of models.

use std::collections::BTreeMap;

use burn::backend::Flex;
use burn::tensor::read_sync;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;
use shared::RgFlowConfig;
use shared::weights::to_safetensors;
use web::address::{MAX_EDGE, Own};
use web::app::Visit;
use web::index::ModelIndex;
use web::training::Training;
use web::zip::{self, Directory, LOCAL, TAIL};

use crate::models::small;

/// The fragment of an address, at a page with a small model.
pub fn address(bytes: &[u8]) {
    let fragment = String::from_utf8_lossy(bytes);
    for config in [small(), RgFlowConfig::tiny()] {
        let written = Visit::at(&fragment, &config).address();
        let again = Visit::at(&written, &config).address();
        assert_eq!(again, written, "the page that was opened at {fragment:?} has an address that leads elsewhere");
    }
}

pub fn address_seeds() -> Vec<Vec<u8>> {
    let own = Own::new(4, (0..48).map(|i| i * 5).collect()).unwrap();
    let own = own.code();
    [
        "model=faces&seed=7&t=0.8".to_owned(),
        "seed=9007199254740991&t=0.2,0.8,0.8,1.5&main=7.3~2-99&depth=2".to_owned(),
        "panel=mix&model=a&v=0123abcd&seed=7&t=0.8&a=7.0&b=9.3&cut=1&share=0.25".to_owned(),
        format!("panel=mix&seed=1&t=0.45,0.7&latents=joint&a=own.{own}&b=9.3j0.2&cut=1&share=0.25&smooth=0&tour=9"),
        "panel=explore&seed=1&x=5.2&z=0.1.3.2:-1.5,3.0.0.0:2&at=3.1.1.0".to_owned(),
        "panel=explore&seed=1&x=5.2&d=0:-1.5,7:2&at=3.1.1.0".to_owned(),
        "panel=explore&seed=1&x=5.2&px=3.2".to_owned(),
        "panel=inpaint&seed=1&p=5.2&mask=8.AAAAAAAAAAE&try=4&choice=2".to_owned(),
        format!("panel=inpaint&seed=1&p=own.{own}~1-3"),
        "panel=train&seed=1&train=own&train-size=large".to_owned(),
        "panel=about&seed=1&weights=own&latents=auto".to_owned(),
        "panel=mix&seed=1&t=0.8&a=7.0t0.5&b=9.3t0.2,0.8~2-1~1-2&cut=1&share=0.25&smooth=1".to_owned(),
    ]
    .map(String::into_bytes)
    .to_vec()
}

/// A picture as addresses hold it.
pub fn own(bytes: &[u8]) {
    if let Some(own) = Own::parse(&String::from_utf8_lossy(bytes)) {
        let size = own.size();
        assert!((1..=MAX_EDGE).contains(&size));
        let rgb = own.at_edge(size);
        assert_eq!(rgb.len(), size * size * 3);
        for edge in [1, 7, 64] {
            assert_eq!(own.at_edge(edge).len(), edge * edge * 3);
        }
        let again = Own::new(size, rgb.clone()).expect("what was read can be written");
        assert_eq!(Own::parse(again.code()).expect("what was written can be read").at_edge(size), rgb);
    }
}

pub fn own_seeds() -> Vec<Vec<u8>> {
    let picture = |size: usize| (0..size * size * 3).map(|i| (i * i / 7 % 251) as u8).collect();
    [1, 4, 16].map(|size| Own::new(size, picture(size)).unwrap().code().as_bytes().to_vec()).to_vec()
}

/// An archive of pictures.
pub fn archive(bytes: &[u8]) {
    let tail = &bytes[bytes.len().saturating_sub(TAIL as usize)..];
    let Ok(Directory { start, end }) = zip::find(tail, bytes.len() as u64) else { return };
    assert!(start <= end && end <= bytes.len() as u64);
    for entry in zip::entries(&bytes[start as usize..end as usize]).into_iter().flatten() {
        let local = bytes.get(entry.local as usize..).unwrap_or_default();
        let _ = zip::data_start(&local[..local.len().min(LOCAL as usize)]);
    }
}

/// The list of models.
pub fn index(bytes: &[u8]) {
    let Ok(index) = ModelIndex::parse(bytes) else { return };
    let json = serde_json::to_vec(&index).unwrap();
    assert_eq!(ModelIndex::parse(&json).expect("what was read can be read again"), index);
    for model in &index.models {
        assert_eq!(index.get(&model.id), Some(model));
        for edge in [1, 16, 64] {
            let inside = |(row, col): (usize, usize)| row < edge && col < edge;
            assert!(model.holes.iter().all(|hole| hole.pixels(edge).all(inside)));
        }
        for cut in 0..9 {
            model.pair.iter().for_each(|pair| drop(pair.sentence(cut, "A", "B")));
        }
    }
}

pub fn index_seeds() -> Vec<Vec<u8>> {
    let shipped = include_bytes!("../../web/models/index.json");
    let one = format!(
        r#"{{"format":1,"models":[{{"id":"a","title":"A","file":"a.safetensors","bytes":9,"sha256":"{0}","earlier":["01234567"],"default":true,"holes":[{{"name":"Eyes","borders":[1,2,30,40]}}],"eyes":[[30,40],[60,40]],"pair":{{"a":1,"b":2,"cut":1,"says":["{{coarse}} and {{fine}}"]}},"rival":{{"id":"r","title":"R","file":"r.x","bytes":1,"sha256":"{0}"}}}}]}}"#,
        "0".repeat(64)
    );
    vec![shipped.to_vec(), one.into_bytes(), br#"{"format":1,"models":[]}"#.to_vec()]
}

/// A run that the browser kept.
pub fn run(bytes: &[u8]) {
    let Ok(run) = Training::<Flex>::from_bytes(bytes, Default::default()) else { return };
    let (run, _) = read_sync(run.step());
    let again = read_sync(run.to_bytes()).expect("what was read can be written");
    // A step may lead to numbers that are refused.
    drop(Training::<Flex>::from_bytes(&again, Default::default()));
}

/// Heads with little behind them: a whole run has megabytes.
pub fn run_seeds() -> Vec<Vec<u8>> {
    let curve = json!({ "points": [], "bits": 3.5, "steps": 1, "looks": [[0.0, 0], [1.5, 16]] });
    let state = |size: &str, rate: f64| {
        let state = json!({
            "size": size, "rate": rate, "seed": 3, "mirrored": true, "step": 7, "millis": 9.5, "curve": curve,
        });
        BTreeMap::from([
            ("format".to_owned(), "rg-flow-page-run-1".to_owned()),
            ("state".to_owned(), state.to_string()),
        ])
    };
    let few: Vec<u8> = [1.0f32, -2.0].iter().flat_map(|number| number.to_le_bytes()).collect();
    let numbers = |name| (name, TensorView::new(Dtype::F32, vec![2], &few).unwrap());
    let pictures = |name| (name, TensorView::new(Dtype::U8, vec![8], &few).unwrap());
    let models = ["model", "average", "first_moment", "second_moment"];
    let ovals = to_safetensors(models.map(numbers).to_vec(), &state("small", 0.01)).unwrap();
    let own = models.map(numbers).into_iter().chain(["pictures", "held_out"].map(pictures)).collect();
    vec![ovals, to_safetensors(own, &state("large", 0.002)).unwrap()]
}
