//! Commands that draw.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::BufReader;

use clap::Parser;
use image::AnimationDecoder;
use image::codecs::gif::GifDecoder;
use trainer::cli::Cli;

use super::{EDGE, Room, difference, names, part};

pub fn sample(room: &Room) {
    let line = "sample @m.safetensors --count 3 --zoom 1 --device cpu";
    room.run(&format!("{line} --seed 1 --out @one.png")).unwrap();
    room.run(&format!("{line} --seed 1 --out @same.png")).unwrap();
    room.run(&format!("{line} --seed 2 --out @two.png")).unwrap();
    let sheet = room.picture("one.png");
    assert_eq!(sheet.dimensions(), (2 * (EDGE + 2) + 2, 2 * (EDGE + 2) + 2));
    assert_eq!(sheet, room.picture("same.png"));
    assert_ne!(sheet, room.picture("two.png"));
    let plain = part(&sheet, 2 + EDGE + 2, 2 + EDGE + 2);
    assert!(plain.pixels().all(|pixel| pixel.0 == [255; 3]), "three samples leave the fourth place empty");
    // A temperature of 0 leaves nothing to chance.
    room.run("sample @m.safetensors --count 2 --zoom 1 --temperature 0 --device cpu --out @cold.png").unwrap();
    let cold = room.picture("cold.png");
    assert_eq!(part(&cold, 2, 2), part(&cold, 2 + EDGE + 2, 2));
    room.refuses("sample @no.safetensors --device cpu", "check the path");
}

pub fn progressive(room: &Room) {
    let line = "--zoom 1 --seed 5 --temperature 0.7 --device cpu";
    room.run(&format!("progressive @m.safetensors --count 2 --out @p.png {line}")).unwrap();
    room.run(&format!("sample @m.safetensors --count 2 --out @s.png {line}")).unwrap();
    let (figure, sheet) = (room.picture("p.png"), room.picture("s.png"));
    assert_eq!(figure.width(), 3 * 20 + 4);
    let top = figure.height() - 2 * 20 - 4;
    let last = part(&figure, 4 + 2 * 20, top + 4 + 20);
    assert!(difference(&last, &part(&sheet, 2 + EDGE + 2, 2)) <= 1, "the last column is the sample");
    room.run(&format!("progressive @m.safetensors --images @a.png --out @i.png {line}")).unwrap();
    let figure = room.picture("i.png");
    let last = part(&figure, 4 + 2 * 20, figure.height() - 20);
    assert!(difference(&last, &room.picture("a.png")) <= 1, "an image ends as itself");
    room.refuses("progressive @m.safetensors --images @mask.txt --device cpu", "mask.txt");
}

pub fn receptive_fields(room: &Room) {
    let files = "--out @fields.png --histogram @strengths.png";
    room.run(&format!("receptive-fields @m.safetensors --count 2 --samples 2 --zoom 1 {files} --device cpu")).unwrap();
    let (fields, strengths) = (room.picture("fields.png"), room.picture("strengths.png"));
    let colours = |picture: &image::RgbImage| picture.pixels().map(|p| p.0).collect::<HashSet<_>>().len();
    assert!(fields.height() >= 3 * 20 && colours(&fields) > 20 && colours(&strengths) > 3);
    room.refuses("receptive-fields @a.png --device cpu", "a.png");
}

pub fn factors(room: &Room) {
    let line = "factors @m.safetensors --count 1 --steps 3 --zoom 1 --device cpu";
    room.run(&format!("{line} --data msds1 --images 64 --out @f")).unwrap();
    let files = [0, 1, 2].map(|level| [format!("traversal-h{level}.png"), format!("walk-h{level}.gif")]);
    let mut expected = files.concat();
    expected.push("scores.json".into());
    expected.sort();
    assert_eq!(names(&room.at("f")), expected);
    assert!(room.picture("f/traversal-h2.png").width() > 4 * 20);
    let walk = GifDecoder::new(BufReader::new(File::open(room.at("f/walk-h2.gif")).unwrap())).unwrap();
    let frames = walk.into_frames().collect_frames().unwrap();
    assert!(frames.len() == 60 && frames[0].buffer() != frames[7].buffer());
    let scores: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(room.at("f/scores.json")).unwrap()).unwrap();
    assert_eq!((&scores["images"], scores["levels"].as_array().unwrap().len()), (&64.into(), 3));
    for level in scores["levels"].as_array().unwrap() {
        for name in ["mig", "disentanglement", "completeness"] {
            let score = level["scores"][name].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&score), "{name} of {level}");
        }
    }
    room.refuses(&format!("{line} --only-scores --data @images --out @g"), "no known factors");
}

pub fn pinwheel(room: &Room) {
    room.run("pinwheel --steps 2 --seed 1 --out @one.png --device cpu").unwrap();
    room.run("pinwheel --steps 2 --seed 2 --out @two.png --device cpu").unwrap();
    let picture = room.picture("one.png");
    assert_eq!(picture.dimensions(), (880, 880));
    assert_ne!(picture, room.picture("two.png"));
    room.refuses("pinwheel --arms 1", "2 to 16");
}

/// In this process "this program" is that of the tests, which takes none of the words: every section fails at once, and
/// what the page promises then can be seen. The sections' words are another test's matter.
pub fn paper(room: &Room) {
    let data = "--data @images --images 1 --temperature 0.7";
    room.run(&format!("paper @m.safetensors {data} --out @paper --device cpu")).unwrap();
    let page = fs::read_to_string(room.at("paper/index.html")).unwrap();
    let sections: Vec<&str> = page.split("<pre>trainer ").skip(1).collect();
    assert_eq!(sections.len(), 10);
    for (section, command) in sections.iter().zip([
        "eval",
        "sample",
        "neighbours",
        "progressive",
        "receptive-fields",
        "factors",
        "mix",
        "inpaint",
        "eval-inpaint",
        "pinwheel",
    ]) {
        let (words, said) = section.split_once('\n').unwrap();
        assert!(words.starts_with(&format!("{command} ")) && said.contains("error"), "{section}");
        assert!(Cli::try_parse_from(["trainer"].into_iter().chain(words.split(' '))).is_ok(), "{words}");
    }
    assert_eq!(names(&room.at("paper/inputs")), ["0.png", "1.png", "2.png", "3.png", "mask.png"]);
    assert_eq!(room.picture("paper/inputs/3.png").dimensions(), (EDGE, EDGE));
    room.run(&format!("paper @m.safetensors {data} --test-images --out @tested --device cpu")).unwrap();
    assert_eq!(room.picture("tested/inputs/1.png"), room.picture("images/test/1.png"));
    room.refuses("paper @m.safetensors --data @images --out @images/paper --device cpu", "among the images");
}

pub fn blind(room: &Room) {
    let line = "blind @m.safetensors @images --count 3 --seed 1 --zoom 1 --out @blind --device cpu";
    room.run(line).unwrap();
    assert_eq!(names(&room.at("blind")), ["failed.txt", "key.csv", "sheet-1.png"]);
    // Three samples, and the two test images that there are.
    let key = fs::read_to_string(room.at("blind/key.csv")).unwrap();
    assert_eq!((key.lines().count(), key.matches("m.safetensors").count()), (6, 3));
    assert!(room.picture("blind/sheet-1.png").width() > 5 * 20);
    let failed = fs::read_to_string(room.at("blind/failed.txt")).unwrap();
    fs::write(room.at("blind/failed.txt"), failed + "1 a2\n").unwrap();
    let text = room.said("blind --count-failed @blind");
    let found = |source: &str| -> [u32; 2] {
        let line = text.lines().find(|line| line.contains(source)).unwrap();
        let (failed, of) = line.split_once(" of ").unwrap();
        let number = |word: Option<&str>| word.unwrap().parse().unwrap();
        [number(failed.split_whitespace().last()), number(of.split_whitespace().next())]
    };
    let ([a, three], [b, two]) = (found("m.safetensors"), found("images "));
    assert_eq!((a + b, three, two), (1, 3, 2), "{text}");
    room.refuses(line, "another count");
    // Its sheets stay out of the images, and another count is not written over.
    room.refuses(&line.replace("--out @blind", "--out @images/blind"), "among the images");
    room.refuses(line, "another count");
    fs::write(room.at("blind/failed.txt"), "1 z9").unwrap();
    room.refuses("blind --count-failed @blind", "1 z9");
}
