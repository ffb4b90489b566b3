//! Commands that take images apart and change them.

use image::Rgb;
use shared::weights::{AnyModelFile, Card, ModelFile, Precision};
use shared::{LevelConfig, RgFlow, RgFlowConfig};

use super::{EDGE, Room, difference, names, part};

pub fn inpaint(room: &Room) {
    room.run(
        "inpaint @a.png @mask.png --model @m.safetensors --truth @a.png --samples 1 --zoom 1 --out @i.png --device cpu",
    )
    .unwrap();
    let (sheet, truth) = (room.picture("i.png"), room.picture("a.png"));
    // The truth, the image with a red hole, the best completion, another.
    assert_eq!(sheet.dimensions(), (4 * (EDGE + 2) + 2, EDGE + 4));
    let [whole, given, best, other] = [0, 1, 2, 3].map(|i| part(&sheet, 2 + i * (EDGE + 2), 2));
    assert_eq!((&whole, given.get_pixel(0, 0)), (&truth, &Rgb([220, 40, 40])));
    for picture in [&given, &best, &other] {
        let known = |x, y| picture.get_pixel(x, y) == truth.get_pixel(x, y);
        assert!((EDGE / 2..EDGE).all(|x| (0..EDGE).all(|y| known(x, y))), "a known pixel changed");
    }
    assert!(best != given && best != other);
    image::GrayImage::new(EDGE, EDGE).save(room.at("nothing.png")).unwrap();
    room.refuses("inpaint @a.png @nothing.png --model @m.safetensors --device cpu", "nothing.png");
}

pub fn encode(room: &Room) {
    let text = room.said("encode @a.png @b.png --model @m.safetensors --out @z.safetensors --device cpu");
    for file in ["a.png: ", "b.png: "] {
        let line = text.lines().find(|line| line.contains(file)).unwrap();
        let bits: f64 = line.split(file).nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
        assert!((0.0..30.0).contains(&bits) && line.contains("768 of 768 values"), "{line}");
        let levels = text.lines().skip_while(|line| !line.contains(file)).nth(1).unwrap();
        let values: Vec<f64> = levels.split([',', ':']).filter_map(|word| word.trim().parse().ok()).collect();
        // "… level 2: x, 1: y, 0: z": the first label is not a number by itself.
        let [coarse, _, middle, _, fine] = values[..] else { panic!("{levels}") };
        assert!(((48.0 * coarse + 144.0 * middle + 576.0 * fine) / 768.0 - bits).abs() < 2e-3, "{levels}");
    }
    let bytes = std::fs::read(room.at("z.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("latents").unwrap().shape(), [2, 3, 16, 16]);
    // A model that makes no numbers of an image.
    let config = RgFlowConfig::tiny();
    let wild = RgFlow::<burn::backend::Flex>::random(&config, 1e4, 1, &Default::default()).unwrap();
    let bytes = ModelFile::from_model(&wild, Card::default()).to_bytes(Precision::F32).unwrap();
    std::fs::write(room.at("wild.safetensors"), bytes).unwrap();
    room.refuses(
        "encode @a.png --model @wild.safetensors --out @w.safetensors --device cpu",
        "a.png has no likelihood",
    );
    assert!(!room.at("w.safetensors").exists());
}

pub fn decode(room: &Room) {
    room.run("encode @a.png @b.png --model @m.safetensors --out @z.safetensors --device cpu").unwrap();
    room.run("decode @z.safetensors --model @m.safetensors --out @decoded --device cpu").unwrap();
    assert_eq!(names(&room.at("decoded")), ["0000.png", "0001.png"]);
    assert_eq!(room.picture("decoded/0000.png"), room.picture("a.png"));
    assert_eq!(room.picture("decoded/0001.png"), room.picture("b.png"));
    let config = RgFlowConfig::new(16, vec![LevelConfig { layers: 1, res_blocks: 1, mlp: 1, hidden: 9 }; 3]);
    let other = RgFlow::<burn::backend::Flex>::random(&config, 0.1, 1, &Default::default()).unwrap();
    let bytes = ModelFile::from_model(&other, Card::default()).to_bytes(Precision::F32).unwrap();
    std::fs::write(room.at("other.safetensors"), bytes).unwrap();
    room.refuses("decode @z.safetensors --model @other.safetensors --out @no --device cpu", "another architecture");
    assert!(!room.at("no").exists());
    other_weights(room);
}

/// Latents know the weights that encoded them, and come back by no others unless it is asked for.
fn other_weights(room: &Room) {
    let file = |name: &str| AnyModelFile::from_bytes(&std::fs::read(room.at(name)).unwrap()).unwrap();
    let digest = |text: &str, before: &str| text.split_once(before).unwrap().1[..8].to_owned();
    let text = room.said("encode @a.png @b.png --model @m.safetensors --out @z.safetensors --device cpu");
    let own = digest(&text, "by weights ");
    assert_eq!(digest(&room.said("info @m.safetensors"), "\nweights "), own);
    let other = RgFlow::<burn::backend::Flex>::random(&RgFlowConfig::tiny(), 0.15, 5, &Default::default()).unwrap();
    let bytes = ModelFile::from_model(&other, Card::default()).to_bytes(Precision::F32).unwrap();
    std::fs::write(room.at("seed5.safetensors"), bytes).unwrap();
    let line = "decode @z.safetensors --model @seed5.safetensors --device cpu --out";
    let error = room.run(&format!("{line} @no")).unwrap_err();
    let theirs = digest(&room.said("info @seed5.safetensors"), "\nweights ");
    for part in [&own, &theirs, "z.safetensors", "seed5.safetensors", "--model", "--other-weights"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!room.at("no").exists());
    room.run(&format!("{line} @changed --other-weights")).unwrap();
    assert_ne!(room.picture("changed/0000.png"), room.picture("a.png"));
    // What else a file says of its model does not count.
    let mut named = file("m.safetensors");
    named.card_mut().name = "faces".into();
    std::fs::write(room.at("named.safetensors"), named.to_bytes(Precision::F32).unwrap()).unwrap();
    room.run("decode @z.safetensors --model @named.safetensors --out @named --device cpu").unwrap();
    assert_eq!(room.picture("named/0000.png"), room.picture("a.png"));
    // Files of before have no digest, and are read by any model of their architecture.
    let bytes = std::fs::read(room.at("z.safetensors")).unwrap();
    let name = br#""weights":"#;
    let at = bytes.windows(name.len()).position(|window| window == name).unwrap();
    let mut old = bytes;
    old[at..at + name.len()].copy_from_slice(br#""without":"#);
    std::fs::write(room.at("old.safetensors"), old).unwrap();
    room.run("decode @old.safetensors --model @m.safetensors --out @old --device cpu").unwrap();
    assert_eq!(room.picture("old/0001.png"), room.picture("b.png"));
    room.run("decode @old.safetensors --model @seed5.safetensors --out @older --device cpu").unwrap();
    // A run's checkpoint and its export in f32 have the same weights; one in f16 has not.
    let small = "--batch 2 --steps 2 --test-images 0 --device cpu";
    room.run(&format!("train --preset tiny --data @images --out @run {small}")).unwrap();
    room.run("encode @a.png --model @run --out @y.safetensors --device cpu").unwrap();
    room.run("export @run --precision f32 --out @whole.safetensors --device cpu").unwrap();
    room.run("export @run --out @half.safetensors --device cpu").unwrap();
    room.run("decode @y.safetensors --model @whole.safetensors --out @whole --device cpu").unwrap();
    room.refuses("decode @y.safetensors --model @half.safetensors --out @no --device cpu", "rounds a run's to f16");
}

pub fn mix(room: &Room) {
    let files = "--out @mix.png --grid @grid.png --zoom 1 --device cpu";
    room.run(&format!("mix @a.png @b.png --model @m.safetensors {files}")).unwrap();
    let (mix, grid) = (room.picture("mix.png"), room.picture("grid.png"));
    // Four columns of pictures, three levels and one; names stand left of them and above them.
    let [left, top] = [mix.width() - 4 * 20 - 4, mix.height() - 3 * 20 - 4];
    let at = |column: u32, row: u32| part(&mix, left + 4 + column * 20, top + 4 + row * 20);
    let (a, b) = (room.picture("a.png"), room.picture("b.png"));
    // All of A, none of it; the other way round; and λ from 1 to 0.
    for (row, [first, last]) in [[&a, &b], [&b, &a], [&a, &b]].into_iter().enumerate() {
        assert!(difference(&at(0, row as u32), first) <= 1 && difference(&at(3, row as u32), last) <= 1, "row {row}");
        assert!(difference(&at(1, row as u32), first) > 1, "row {row}");
    }
    assert!(grid.width() > 3 * 20 && grid.height() > 3 * 20);
    room.refuses(&format!("mix @a.png @b.png --model @m.safetensors --theta 4 {files}"), "--theta");
    room.refuses(&format!("mix @a.png --model @m.safetensors {files}"), "2 values");
}
