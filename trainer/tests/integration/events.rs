//! TensorBoard's event files, read by a parser of their own, as TensorBoard reads them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::runs::{TINY, metrics, run};

/// What a folder's event files hold: numbers by tag and step, and pictures by step.
#[derive(Default)]
struct Watched {
    scalars: BTreeMap<(String, u64), f32>,
    pictures: BTreeMap<(String, u64), Vec<u8>>,
}

/// A field's value.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The checksum of a TFRecord, bit by bit (CRC-32C, RFC 3720, then masked).
fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    let crc = !crc;
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let (first, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= u64::from(first & 127) << shift;
        if first & 128 == 0 {
            break;
        }
    }
    value
}

/// The fields of a message by their numbers; a double or float as its bits.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Value<'_>)> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let mut take = |n: usize| {
            let (taken, rest) = bytes.split_at(n);
            bytes = rest;
            taken
        };
        let value = match key & 7 {
            1 => Value::Number(u64::from_le_bytes(take(8).try_into().unwrap())),
            5 => Value::Number(u32::from_le_bytes(take(4).try_into().unwrap()).into()),
            0 => Value::Number(varint(&mut bytes)),
            2 => {
                let length = varint(&mut bytes) as usize;
                let (taken, rest) = bytes.split_at(length);
                bytes = rest;
                Value::Bytes(taken)
            }
            other => panic!("wire type {other}"),
        };
        found.push((key >> 3, value));
    }
    found
}

fn number(message: &[(u64, Value<'_>)], field: u64) -> Option<u64> {
    message.iter().find_map(|(key, value)| match value {
        Value::Number(number) if *key == field => Some(*number),
        _ => None,
    })
}

fn bytes<'a>(message: &[(u64, Value<'a>)], field: u64) -> Vec<&'a [u8]> {
    let of = |(key, value): &(u64, Value<'a>)| match value {
        Value::Bytes(bytes) if *key == field => Some(*bytes),
        _ => None,
    };
    message.iter().filter_map(of).collect()
}

/// The records of a file up to one that a kill cut short.
fn records(file: &[u8]) -> Vec<&[u8]> {
    let (mut rest, mut found) = (file, Vec::new());
    while rest.len() >= 12 {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        let sum = |at: &[u8]| u32::from_le_bytes(at[..4].try_into().unwrap());
        assert_eq!(sum(&rest[8..]), checksum(&rest[..8]));
        if rest.len() < length + 16 {
            break;
        }
        let record = &rest[12..12 + length];
        assert_eq!(sum(&rest[12 + length..]), checksum(record));
        found.push(record);
        rest = &rest[length + 16..];
    }
    found
}

fn event_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries.filter(|path| path.to_str().unwrap().contains("tfevents")).collect();
    found.sort();
    found
}

impl Watched {
    /// All files of a folder, one after the other. No step comes twice but after a start that makes it void.
    fn read(folder: &Path) -> Self {
        let mut watched = Self::default();
        for path in event_files(folder) {
            let file = fs::read(path).unwrap();
            for (i, record) in records(&file).into_iter().enumerate() {
                let event = fields(record);
                assert!(f64::from_bits(number(&event, 1).unwrap()) > 1.7e9);
                let step = number(&event, 2).unwrap();
                match (i, bytes(&event, 3).first(), bytes(&event, 7).first()) {
                    (0, Some(version), _) => assert_eq!(*version, b"brain.Event:2"),
                    (1, _, Some(session)) => {
                        assert_eq!(number(&fields(session), 1), Some(1));
                        watched.scalars.retain(|(_, at), _| *at < step);
                        watched.pictures.retain(|(_, at), _| *at < step);
                    }
                    _ => watched.summary(step, bytes(&event, 5)[0]),
                }
            }
        }
        watched
    }

    fn summary(&mut self, step: u64, summary: &[u8]) {
        for value in bytes(&fields(summary), 1) {
            let value = fields(value);
            let key = (String::from_utf8(bytes(&value, 1)[0].to_vec()).unwrap(), step);
            if let Some(picture) = bytes(&value, 4).first() {
                let picture = fields(picture);
                let png = bytes(&picture, 4)[0];
                let decoded = image::load_from_memory(png).unwrap();
                assert_eq!(number(&picture, 1).unwrap(), u64::from(decoded.height()));
                assert_eq!(number(&picture, 2).unwrap(), u64::from(decoded.width()));
                assert!(self.pictures.insert(key, png.to_vec()).is_none());
            } else {
                let bits = u32::try_from(number(&value, 2).unwrap()).unwrap();
                assert!(self.scalars.insert(key.clone(), f32::from_bits(bits)).is_none(), "{key:?} twice");
            }
        }
    }
}

/// That the event files of a run say what its metrics do, and show its sheets.
fn assert_like_metrics(folder: &Path) {
    let watched = Watched::read(folder);
    let tags = [
        ("train", "bits_per_dim/train"),
        ("test", "bits_per_dim/test"),
        ("grad_norm", "gradient/norm"),
        ("clipped", "gradient/clipped_share"),
        ("clip_factor", "gradient/clip_factor"),
        ("learning_rate", "speed/learning_rate"),
    ];
    let lines = metrics(folder);
    for (key, tag) in tags {
        let of = |line: &serde_json::Map<String, serde_json::Value>| {
            Some((line["step"].as_u64().unwrap(), line.get(key)?.as_f64().unwrap() as f32))
        };
        let expected: Vec<_> = lines.iter().filter_map(of).collect();
        let found = watched.scalars.iter().filter(|((name, _), _)| name == tag);
        assert_eq!(found.map(|((_, step), value)| (*step, *value)).collect::<Vec<_>>(), expected, "{tag}");
    }
    let rates = watched.scalars.iter().filter(|((name, _), _)| name == "speed/images_per_second");
    assert!(rates.clone().count() > 1 && rates.clone().all(|(_, rate)| *rate > 0.0));
    for ((tag, step), png) in &watched.pictures {
        assert_eq!(tag, "samples");
        assert_eq!(&fs::read(folder.join(format!("samples/step-{step:08}.png"))).unwrap(), png);
    }
    let tested = lines.iter().filter(|line| line.contains_key("test")).count();
    assert_eq!(watched.pictures.len(), tested);
}

#[test]
fn a_run_can_be_watched_whatever_happens_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    run(&format!("train {TINY} --clip 0.05 --steps 6 --log-every 1 --checkpoint-every 3 --out {{}}"), &[&out]).unwrap();
    assert_eq!(event_files(&out).len(), 1);
    assert_like_metrics(&out);
    // All of these were clipped, to the part of their length that is allowed.
    let line = metrics(&out).remove(5);
    let of = |key: &str| line[key].as_f64().unwrap();
    assert_eq!(of("clipped"), 1.0);
    assert!((of("clip_factor") * of("grad_norm") - 0.05).abs() < 1e-3, "{line:?}");
    // From an earlier checkpoint, as after a kill in the middle of a record.
    let first = event_files(&out).remove(0);
    let whole = fs::read(&first).unwrap();
    fs::write(&first, &whole[..whole.len() - 7]).unwrap();
    let three = out.join("checkpoints/step-00000003.ckpt");
    run("train --resume {} --steps 8 --log-every 1 --test-images 8 --device cpu", &[&three]).unwrap();
    assert_eq!(event_files(&out).len(), 2);
    assert_like_metrics(&out);
    // Elsewhere, with what came before.
    let branch = dir.path().join("branch");
    run("train --resume {} --out {} --steps 9 --test-images 0 --device cpu", &[&out, &branch]).unwrap();
    let (old, new) = (Watched::read(&out), Watched::read(&branch));
    let of = |watched: &Watched| watched.scalars.keys().filter(|(tag, _)| tag == "bits_per_dim/train").count();
    assert_eq!((of(&old), of(&new)), (8, 9));
    // A run that is done writes none, and one that is told not to.
    run("train --resume {} --device cpu", &[&out]).unwrap();
    assert_eq!(event_files(&out).len(), 2);
    let unwatched = dir.path().join("unwatched");
    run(&format!("train {TINY} --steps 1 --no-tensorboard --out {{}}"), &[&unwatched]).unwrap();
    assert!(event_files(&unwatched).is_empty());
}

/// The same by TensorBoard's own reader: `cargo xtask test --only events` runs it where Python has the package.
#[test]
#[ignore = "needs the Python package tensorboard"]
fn tensorboard_reads_what_a_run_writes() {
    let dir = tempfile::tempdir().unwrap();
    run(&format!("train {TINY} --steps 6 --log-every 1 --checkpoint-every 3 --out {{}}"), &[dir.path()]).unwrap();
    let three = dir.path().join("checkpoints/step-00000003.ckpt");
    run("train --resume {} --steps 5 --log-every 1 --test-images 8 --device cpu", &[&three]).unwrap();
    let program = "import json, sys\n\
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator\n\
        events = EventAccumulator(sys.argv[1], size_guidance={'scalars': 0, 'images': 0})\n\
        events.Reload()\n\
        tags = events.Tags()\n\
        scalars = {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in tags['scalars']}\n\
        images = {tag: [[e.step, e.width, e.height] for e in events.Images(tag)] for tag in tags['images']}\n\
        print(json.dumps([scalars, images]))";
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(python).args(["-c", program]).arg(dir.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let scalar = |line: &serde_json::Map<String, serde_json::Value>| (line["step"].as_u64(), line["train"].as_f64());
    let expected: Vec<_> = metrics(dir.path()).iter().map(scalar).collect();
    let found = read[0]["bits_per_dim/train"].as_array().unwrap();
    assert_eq!(found.len(), 5);
    for (found, (step, value)) in found.iter().zip(expected) {
        assert_eq!(found[0].as_u64(), step);
        assert!((found[1].as_f64().unwrap() - value.unwrap()).abs() < 1e-5);
    }
    let steps: Vec<_> = read[1]["samples"].as_array().unwrap().iter().map(|image| image[0].as_u64().unwrap()).collect();
    assert_eq!(steps, [3, 5]);
}
