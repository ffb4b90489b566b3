//! Commands that make, turn over and describe the files of models and data.

use std::fs;
use std::path::Path;

use shared::weights::{AnyModelFile, Precision};

use super::{EDGE, Room, names, numbers};

pub fn train(room: &Room) {
    let small = "--batch 2 --test-images 2 --checkpoint-every 1 --log-every 1 --device cpu";
    room.run(&format!("train --preset tiny --data @images --steps 2 --out @run {small}")).unwrap();
    assert_eq!(names(&room.at("run/checkpoints")), ["step-00000001.ckpt", "step-00000002.ckpt"]);
    assert!(room.picture("run/samples/step-00000002.png").width() > 8 * EDGE);
    assert!(room.picture("run/curve.png").width() > 100);
    assert!(names(&room.at("run")).iter().any(|name| name.starts_with("events.out.tfevents.")));
    assert!(room.at("run/best.ckpt").exists());
    let metrics = || -> Vec<serde_json::Value> {
        let text = fs::read_to_string(room.at("run/metrics.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    for (i, line) in metrics().iter().enumerate() {
        assert_eq!((&line["step"], &line["images"]), (&(i + 1).into(), &(2 * (i + 1)).into()));
        let number = |key: &str| line[key].as_f64().unwrap();
        let [train, test] = ["train", "test"].map(number);
        assert!((0.0..30.0).contains(&train) && (0.0..30.0).contains(&test) && number("grad_norm") > 0.0, "{line}");
    }
    room.run(&format!("train --resume @run --steps 3 {small}")).unwrap();
    assert_eq!(metrics().len(), 3);
    room.refuses(&format!("train --preset tiny --data @images --out @run {small}"), "another --out");
    room.refuses("train --preset huge --device cpu --out @no", "official_celeba32");
    room.refuses("train --preset tiny --data @no-images --device cpu --out @no", "no-images");
}

pub fn export(room: &Room) {
    let line = "export @m.safetensors --out @e.safetensors --precision f32 --device cpu";
    let card = "--name faces --dataset mine --licence CC0 --temperatures 0.5,0.6,0.7 --factor 2.0.1.0=warmth";
    room.run(&format!("{line} {card} --data @images")).unwrap();
    let file = AnyModelFile::from_bytes(&fs::read(room.at("e.safetensors")).unwrap()).unwrap();
    let card = file.card();
    assert_eq!((card.name.as_str(), card.dataset.as_str(), card.licence.as_str()), ("faces", "mine", "CC0"));
    assert_eq!((card.temperature.as_slice(), card.factors[0].name.as_str()), (&[0.5, 0.6, 0.7][..], "warmth"));
    assert!((0.0..30.0).contains(&card.bits_per_dim.unwrap()));
    room.run("export @m.safetensors --out @half.safetensors --device cpu").unwrap();
    let size = |name: &str| fs::metadata(room.at(name)).unwrap().len();
    assert!(size("half.safetensors") < size("e.safetensors") * 2 / 3);
    room.refuses(&format!("{line} --temperatures 0.5,0.6"), "3 levels");
    room.refuses(&format!("{line} --factor 9.0.0.0=no"), "--factor");
    hub(room);
    without_paths(room);
}

/// What the Hub gets, from a run whose data lie where nobody else needs to know.
fn hub(room: &Room) {
    let data = room.at("images").display().to_string();
    let small = "--batch 2 --steps 1 --test-images 0 --device cpu";
    room.run(&format!("train --preset tiny --data @images --out @run {small}")).unwrap();
    let card =
        format!("--name tiny --licence me:{data}/LICENCE,CC-BY-4.0 --data @images --factor 2.0.1.0={data}/warmth");
    room.run(&format!("export @run {card} --hub @hub --device cpu")).unwrap();
    let files = ["README.md", "config.json", "model.safetensors", "rg_flow.py", "samples.png"];
    assert_eq!(names(&room.at("hub")), files);
    let text = |name: &str| fs::read_to_string(room.at("hub").join(name)).unwrap();
    let readme = text("README.md");
    for part in
        ["license: cc-by-4.0", "datasets:\n- \"images\"", "      value: ", "rg_flow.load", "| licence | me:LICENCE"]
    {
        assert!(readme.starts_with("---\n") && readme.contains(part), "{part}: {readme}");
    }
    assert!(room.picture("hub/samples.png").width() > 8 * 4 * EDGE);
    room.run(&format!("train --config @hub/config.json --data @images --out @again {small}")).unwrap();
    room.run("sample @hub/model.safetensors --count 1 --out @one.png --device cpu").unwrap();
    // No local path, in any file.
    let home = room.folder.path().display().to_string();
    for name in files {
        let bytes = fs::read(room.at("hub").join(name)).unwrap();
        assert!(!bytes.windows(home.len()).any(|window| window == home.as_bytes()), "{name}");
    }
    room.refuses("export @run --hub @hub --device cpu", "is not empty; give a new folder");
    room.refuses("export @run --hub @a.png --device cpu", "is a file");
    room.refuses("export @run --device cpu", "--out");
    room.refuses("export @run --hub @x --out @y --device cpu", "cannot be used with");
    // What the Hub has no name for is in a file, and an unknown licence is said.
    room.run("export @m.safetensors --licence ask-me --hub @own --device cpu").unwrap();
    assert_eq!(fs::read_to_string(room.at("own/LICENSE")).unwrap(), "ask-me\n");
    let said = room.said("export @m.safetensors --hub @none --device cpu");
    assert!(said.contains("no licence is known"), "{said}");
    assert!(!fs::read_to_string(room.at("none/README.md")).unwrap().contains("license:"));
}

/// Weights that an earlier version wrote are cleaned, too.
fn without_paths(room: &Room) {
    let mut file = AnyModelFile::from_bytes(&fs::read(room.at("m.safetensors")).unwrap()).unwrap();
    file.card_mut().dataset = "/home/me/My Photos/faces.zip, then msds1".into();
    file.card_mut().training = "trainer train --data=/home/me/faces.zip --out ~/runs/a, 3 bits/dim".into();
    fs::write(room.at("old.safetensors"), file.to_bytes(Precision::F32).unwrap()).unwrap();
    room.run("export @old.safetensors --out @new.safetensors").unwrap();
    let file = AnyModelFile::from_bytes(&fs::read(room.at("new.safetensors")).unwrap()).unwrap();
    assert_eq!(file.card().dataset, "faces.zip, then msds1");
    assert_eq!(file.card().training, "trainer train --data=faces.zip --out a, 3 bits/dim");
}

pub fn import(room: &Room) {
    let authors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/official-gaussian-16.state");
    room.run(&format!("import {} --out @o.safetensors", authors.display())).unwrap();
    let own = fs::read(room.at("o.safetensors")).unwrap();
    let file = AnyModelFile::from_bytes(&own).unwrap();
    assert_eq!(file.config().image_shape(), [3, 16]);
    // A changed byte is refused, by the file's name, or changes nothing.
    let whole = fs::read(&authors).unwrap();
    let mut named = [0, 0];
    for at in (0..whole.len()).step_by(whole.len() / 400) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(room.at("flipped.state"), &bytes).unwrap();
        match room.run("import @flipped.state --out @flipped.safetensors") {
            Ok(()) => assert!(fs::read(room.at("flipped.safetensors")).unwrap() == own, "{at}"),
            Err(error) => {
                assert!(error.contains("flipped.state: "), "{at}: {error}");
                named[0] += 1;
                named[1] += usize::from(error.contains("flow.layers.") && error.contains("is damaged"));
            }
        }
    }
    assert!(named[0] > 250 && named[1] > 150, "{named:?}");
    for end in (0..whole.len()).step_by(whole.len() / 20) {
        fs::write(room.at("cut.state"), &whole[..end]).unwrap();
        room.refuses("import @cut.state --out @cut.safetensors", "cut.state: ");
    }
    room.refuses("import @a.png --out @no.safetensors", "a.png");
    assert!(!room.at("no.safetensors").exists());
}

pub fn info(room: &Room) {
    let text = room.said("info @m.safetensors");
    let first = text.lines().next().unwrap();
    assert!(numbers(first).iter().all(|&number| number > 0.0) && first.contains("parameters"), "{first}");
    let config = text.split_once("config ").unwrap().1;
    let config: serde_json::Value = serde_json::from_str(config).unwrap();
    assert_eq!(config["size"], 16);
    // What `info` prints is what `train --config` takes.
    fs::write(room.at("c.json"), config.to_string()).unwrap();
    let run = "--data @images --steps 1 --batch 2 --test-images 0 --device cpu --out @run";
    room.run(&format!("train --config @c.json {run}")).unwrap();
    assert!(room.said("info @run").contains("\nrecipe "));
    // What a checkpoint says of itself is read without its weights.
    let path = room.at("run/checkpoints/step-00000001.ckpt");
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len();
    bytes[end - 1000..].fill(0xc1);
    fs::write(&path, bytes).unwrap();
    room.run("info @run").unwrap();
    room.refuses("sample @run --device cpu --out @no.png", "not a complete checkpoint");
    room.refuses("info @a.png", "a.png");
    // The machine: what runs on it, and how to get what does not.
    let text = room.said("info --machine");
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{text}"));
    assert!(line("kernels").contains("numbers at a time"), "{text}");
    assert!(line("auto").ends_with("cpu") || line("auto").ends_with("cuda:0"), "{text}");
    if cfg!(not(feature = "wgpu")) {
        assert!(line("device     wgpu").contains("-p trainer --features wgpu"), "{text}");
    }
    assert_eq!(line("device     candle").ends_with("answers"), cfg!(feature = "candle"), "{text}");
}

pub fn data(room: &Room) {
    room.run("data msds1 --limit 10 --size 8 --out @ovals").unwrap();
    let files = names(&room.at("ovals/train"));
    assert_eq!((files.len(), files.last().map(String::as_str)), (11, Some("labels.csv")));
    assert_eq!(names(&room.at("ovals/test")).len(), 2);
    assert_eq!(room.picture(&format!("ovals/train/{}", files[0])).dimensions(), (8, 8));
    assert_eq!(fs::read_to_string(room.at("ovals/train/labels.csv")).unwrap().lines().count(), 11);
    room.run("data @images --size 4 --out @small").unwrap();
    assert_eq!((names(&room.at("small/train")).len(), names(&room.at("small/test")).len()), (6, 2));
    room.refuses("data @images --out @images/again", "among the images");
    room.refuses("data phi4 --out @fields", "fields");
    assert!(!room.at("fields").exists());
}

#[test]
fn what_a_command_reads_and_files_of_another_kind_stay() {
    let room = Room::new();
    let before = |name: &str| fs::read(room.at(name)).unwrap();
    let (model, picture) = (before("m.safetensors"), before("a.png"));
    for line in [
        "encode @a.png --model @m.safetensors --out @m.safetensors",
        "quality @m.safetensors --data msds1 --out @m.safetensors",
        "quality @m.safetensors --data msds1 --out @a.png",
        "sample @m.safetensors --out @m.safetensors",
        "progressive @m.safetensors --images @a.png --out @a.png",
        "mix @a.png @b.png --model @m.safetensors --out @b.png --grid @a.png",
        "mix @a.png @b.png --model @m.safetensors --out @new.png --grid @new.png",
        "export @m.safetensors --out @a.png",
        "fit-latents @m.safetensors --data msds1 --out @a.png",
        "blind @m.safetensors --out @images",
    ] {
        let error = room.run(line).unwrap_err();
        assert!(error.contains("--out") || error.contains("--grid") || error.contains(".png"), "{line}: {error}");
    }
    assert!(before("m.safetensors") == model && before("a.png") == picture && !room.at("new.png").exists());
    assert!(!room.at("images/key.csv").exists());
}

pub fn fit_latents(room: &Room) {
    room.refuses("fit-latents @m.safetensors --limit 40 --device cpu", "--data");
    let line = "fit-latents @m.safetensors --data msds1 --limit 40 --test-limit 2 --device cpu";
    // As many as the images can show, where none is asked for.
    assert!(room.said(&format!("{line} --out @many.safetensors")).contains("10 directions"));
    room.run(&format!("{line} --directions 4 --out @joint.safetensors")).unwrap();
    let file = AnyModelFile::from_bytes(&fs::read(room.at("joint.safetensors")).unwrap()).unwrap();
    let AnyModelFile::RgFlow(file) = file else { panic!("not an RG-Flow") };
    assert_eq!(file.card.joint_temperature, [0.15, 0.4, 0.75]);
    let variances = file.sampler.as_ref().unwrap().variances().to_vec();
    assert!(variances.len() == 4 && variances.iter().all(|v| v.is_finite() && *v > 0.0), "{variances:?}");
    // From then on samples are drawn jointly, unless it is asked otherwise.
    for (command, out) in
        [("sample", ""), ("progressive", ""), ("receptive-fields", "--samples 1 --histogram @strengths.png")]
    {
        let draws = |model: &str, how: &str| {
            let line =
                format!("{command} @{model}.safetensors --count 1 --seed 1 --zoom 1 --temperature 0.7 --device cpu");
            room.run(&format!("{line} {how} --out @{command}{how}.png {out}")).unwrap();
            room.picture(&format!("{command}{how}.png"))
        };
        assert_ne!(draws("joint", ""), draws("joint", "--independent"), "{command}");
        // A model without a sampler cannot do otherwise.
        assert_eq!(draws("m", ""), draws("m", "--independent"), "{command}");
    }
    room.refuses(&format!("{line} --directions 11 --out @no.safetensors"), "--directions");
    room.refuses(&format!("{line} --directions 4 --temperatures 0.5,0.6 --out @no.safetensors"), "3 levels");
    // A card holds no higher one than its readers take.
    room.refuses(&format!("{line} --temperatures 1.6 --out @no.safetensors"), "0 to 1.5");
    room.refuses(&format!("{line} --out @run.ckpt"), "--out");
    assert!(!room.at("no.safetensors").exists());
}

pub fn licences(room: &Room) {
    let text = room.said("licences");
    for part in ["burn-core 0.21", "MIT OR Apache-2.0", "Permission is hereby granted", "Apache License"] {
        assert!(text.contains(part), "{part}");
    }
}
