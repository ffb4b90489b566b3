//! Commands that print numbers.

use std::collections::BTreeMap;
use std::fs;

use super::{Room, numbers};

pub fn eval(room: &Room) {
    let text = room.said("eval @m.safetensors --data @images --device cpu");
    assert!(text.contains("bits/dim on 2 test images of images"), "{text}");
    let found = numbers(&text);
    assert!((0.0..30.0).contains(&found[0]) && found[1] >= 0.0, "{text}");
    // The levels' shares add up to the whole.
    let levels: Vec<_> = text.lines().skip(2).map(numbers).collect();
    assert_eq!(
        levels.iter().map(|found| [found[0], found[1]]).collect::<Vec<_>>(),
        [[2.0, 48.0], [1.0, 144.0], [0.0, 576.0]]
    );
    assert!((levels.iter().map(|found| found[4]).sum::<f64>() - found[0]).abs() < 2e-4, "{text}");
    assert!(levels.iter().all(|found| (found[2] * found[1] / 768.0 - found[4]).abs() < 1e-4), "{text}");
    // Four draws tighten the bound.
    let four = room.said("eval @m.safetensors --data @images --draws 4 --device cpu");
    assert!(numbers(&four)[0] < found[0] && four.lines().count() == 1, "{four}");
    // What the page takes: coarsest first, as `encode` has them.
    let text = room.said("eval @m.safetensors --data @images --usual --device cpu");
    let usual = text.lines().last().unwrap().strip_prefix("\"usual\": ").unwrap();
    let usual: Vec<[f64; 2]> = serde_json::from_str(usual).unwrap();
    let encoded =
        room.said("encode @images/test/0.png @images/test/1.png --model @m.safetensors --out @z --device cpu");
    let finest = |line: &str| -> f64 { line.rsplit(' ').next().unwrap().parse().unwrap() };
    let of: Vec<f64> = encoded.lines().filter(|line| line.contains("each number")).map(finest).collect();
    assert!(
        usual.len() == 3 && of.len() == 2 && ((of[0] + of[1]) / 2.0 - usual[2][0]).abs() < 2e-3,
        "{encoded}{usual:?}"
    );
    room.refuses("eval @m.safetensors --data @none --device cpu", "none");
}

pub fn scales(room: &Room) {
    let line = "scales @m.safetensors --data msds1 --test-limit 16 --device cpu";
    let text = room.said(&format!("{line} --against mirrored broken @images --out @areas.json"));
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with("broken")).map(numbers).collect();
    // Images, and an area with its error for each level, for all, and for the levels together.
    assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [9, 11], "{text}");
    assert!(rows.iter().all(|row| row[0] == 8.0 && row[1..].iter().all(|area| (0.0..=1.0).contains(area))), "{text}");
    let areas: serde_json::Value = serde_json::from_str(&fs::read_to_string(room.at("areas.json")).unwrap()).unwrap();
    let names: Vec<_> = areas.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!((names, areas[2]["images"].as_u64()), (vec!["mirrored", "broken", "images"], Some(8)));
    room.refuses(&format!("{line} --against @none.zip"), "none.zip");
    room.refuses("scales @m.safetensors --data msds1 --test-limit 7 --device cpu", "at least 8");
}

pub fn physics(room: &Room) {
    let line = "--device cpu --data phi4:beta=0.5 --limit 400 --test-limit 40";
    room.run(&format!("train --preset phi4 --size 8 --steps 3 --batch 4 --test-images 8 {line} --out @run")).unwrap();
    let text = room.said("physics @run --count 200 --device cpu --out @physics.png");
    let picture = image::open(room.at("physics.png")).unwrap().to_rgb8();
    // Fields of both signs, in blue and orange.
    assert!(
        [[66, 133, 197], [236, 145, 52]].iter().all(|wanted: &[u8; 3]| {
            picture.pixels().any(|found| (0..3).all(|i| found.0[i].abs_diff(wanted[i]) < 40))
        })
    );
    assert!(text.starts_with("phi4:beta=0.5,lambda=1 on 8×8, 200 fields of each"), "{text}");
    let of = |name: &str| numbers(text.lines().find(|line| line.starts_with(name)).unwrap());
    let magnetisation = of("|m|");
    // Sampler, model, how far apart, weighted, how far apart: |m| is positive, and so are the errors.
    assert!(magnetisation.len() == 8 && [0, 1, 2, 3, 5, 6].iter().all(|&i| magnetisation[i] > 0.0), "{text}");
    let found = of("effective sample size");
    assert!((0.0..=1.0).contains(&found[0]), "{text}");
    assert!(
        text.contains("two-point, r=4")
            && text.contains("slope, r=2 to 4")
            && !text.contains("r=8")
            && !text.contains("NaN"),
        "{text}"
    );
    // Of a whitened model, whose latents have a spread of 1.
    let spreads = ["level 1", "level 0"].map(|name| of(name)[1]);
    assert!(spreads.iter().all(|spread| (0.8..1.2).contains(spread)), "{text}");
    // Whitening alone makes a model that is near: −log q is below that of independent normal numbers.
    let eval = room.said("eval @run --data phi4:beta=0.5 --test-limit 40 --device cpu");
    assert!(eval.contains("nats/site on 40 test fields"), "{eval}");
    let shift = room.said("scales @run --data phi4:beta=0.5 --test-limit 40 --against phi4:beta=0.7 --device cpu");
    let all = shift.lines().find(|line| line.starts_with("phi4")).map(numbers).unwrap();
    assert_eq!(all.len(), 7, "{shift}");
    // The weights of a field's images are one, whatever is counted as an image.
    let symmetric = room.said("physics @run --count 50 --symmetry lattice --device cpu");
    let found = numbers(symmetric.lines().find(|line| line.starts_with("effective")).unwrap());
    assert!(found.len() == 2 && found.iter().all(|share| (0.0..=1.0).contains(share)), "{symmetric}");
    let files = "--out @f.png --histogram @s.png";
    let strong = room.said(&format!("receptive-fields @run --count 1 --samples 2 {files} --device cpu"));
    assert!(strong.contains("h = 1: ") && strong.contains(" of 48 latents stronger than 1"), "{strong}");
    room.refuses("physics @run --size 16 --device cpu", "at least three levels");
    room.refuses("sample @run --device cpu", "model of fields");
    room.refuses("physics @m.safetensors --device cpu", "not a model of fields");
    room.refuses("physics @run --data phi4:beta=5 --device cpu", "phi4:beta=0.6806");
    room.refuses(&format!("train --preset tiny --steps 1 {line} --out @other"), "--preset phi4");
    room.refuses("eval @run --data msds1 --test-limit 9 --device cpu", "for a model of fields");
}

pub fn ising(room: &Room) {
    let line = "--device cpu --data ising:beta=0.3 --limit 400 --test-limit 40";
    let train = "train --preset phi4 --size 8 --share-levels --steps 3 --batch 4 --test-images 8";
    room.run(&format!("{train} {line} --out @spins")).unwrap();
    let text = room.said("physics @spins --count 200 --device cpu");
    assert!(text.starts_with("ising:beta=0.3 on 8×8, 200 fields of each"), "{text}");
    let of = |name: &str| numbers(text.lines().find(|line| line.starts_with(name)).unwrap());
    // Of spins, the square at a site is one, for sampler and model alike.
    let found = of("two-point, r=0");
    assert!(found[0] == 1.0 && found[1] == 0.0 && found[2] == 1.0, "{text}");
    assert!(of("|m|")[0] < 1.0 && of("log Z, sampler")[0] > 2f64.ln(), "{text}");
    // Its levels share their weights: it is a model for every size.
    let text = room.said("physics @spins --size 16 --count 50 --device cpu");
    assert!(text.starts_with("ising:beta=0.3 on 16×16"), "{text}");
    let eval = room.said("eval @spins --data ising:beta=0.3 --size 16 --test-limit 40 --device cpu");
    assert!(eval.contains("nats/site on 40 test fields"), "{eval}");
    room.refuses(&format!("train --preset phi4 --objective action --steps 1 {line} --out @other"), "phi4");
    room.refuses("physics @spins --data ising:beta=7 --device cpu", "ising:beta=0.4");
}

pub fn action(room: &Room) {
    let line = "--data phi4:beta=0.5 --objective action --batch 4 --test-images 8 --device cpu";
    let text = room.said(&format!("train --preset phi4 --steps 3 {line} --out @action"));
    assert!(text.contains("by its action, without data") && text.contains("log Z at least"), "{text}");
    let bound: f64 = text.rsplit("at least ").next().unwrap().split(' ').next().unwrap().parse().unwrap();
    let text = room.said("physics @action --count 100 --device cpu");
    let of = |name: &str| numbers(text.lines().find(|line| line.starts_with(name)).unwrap());
    let (log_z, error) = (of("log Z, sampler")[0], of("log Z, sampler")[1]);
    assert!(bound < log_z + 4.0 * error, "{bound} is no bound of {log_z} ± {error}");
    // It grows to other lattices.
    let text = room.said("physics @action --size 32 --count 50 --device cpu");
    assert!(text.starts_with("phi4:beta=0.5,lambda=1 on 32×32"), "{text}");
    let text = room.said(&format!("train --from @action --size 32 --steps 1 {line} --out @grown"));
    assert!(text.contains("parameters"), "{text}");
    let info = room.said("info @grown");
    assert!(info.contains("32"), "{info}");
    room.refuses("physics @action --size 24 --device cpu", "grows to 16 times 2, 4, 8");
    room.refuses(&format!("train --preset tiny --steps 1 {line} --out @other"), "--objective");
    room.refuses("train --resume @action --steps 9 --objective likelihood --device cpu", "its objective, action");
}

pub fn neighbours(room: &Room) {
    let text = room.said("neighbours @m.safetensors --data @images --count 3 --out @near.png --device cpu");
    for name in ["samples", "test images"] {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        let found = numbers(line);
        assert!(found.windows(2).all(|pair| pair[0] <= pair[1]) && (0.0..=255.0).contains(&found[2]), "{line}");
    }
    assert!(room.picture("near.png").width() > 6 * 16);
    room.refuses("neighbours @m.safetensors --data @images --out @images/near.png --device cpu", "among the images");
}

pub fn ovals(room: &Room) {
    let text = room.said("ovals @m.safetensors --limit 1 --test-limit 2 --images 2 --device cpu");
    assert!(text.starts_with("one latent changed by 3, 2 pictures of msds1"), "{text}");
    let means: Vec<_> = text.lines().filter(|line| line.contains("mean of")).map(numbers).collect();
    assert_eq!(means.len(), 3);
    // Ovals recoloured and turned, of sixteen; colour of 255, degrees.
    for found in means.iter().map(|found| &found[found.len() - 4..]) {
        let most = [16.0, 16.0, 255.0, 90.0];
        assert!(found.iter().zip(most).all(|(&number, most)| (0.0..=most).contains(&number)), "{found:?}");
    }
    assert_eq!(text.lines().skip_while(|line| !line.starts_with("level  of latents")).count(), 4);
    room.refuses("ovals @a.png --device cpu", "a.png");
}

pub fn eval_inpaint(room: &Room) {
    let line = "--data @images --images 1 --samples 1 --hole centre --device cpu";
    let text = room.said(&format!("eval-inpaint @m.safetensors {line} --out @sheets"));
    for row in ["smooth fill", "m  ", "m: another", "m: mean of others"] {
        let line = text.lines().find(|line| line.starts_with(row)).unwrap_or_else(|| panic!("{row}: {text}"));
        assert!((0.0..=99.0).contains(&numbers(&line[36..])[0]), "{line}");
    }
    assert!(room.picture("sheets/centre.png").height() > 6 * 48);
    room.refuses(&format!("eval-inpaint @m.safetensors {line} --hole ear"), "mouth");
}

pub fn bench(room: &Room) {
    let line = "--batch 1 --seconds 0.01 --device cpu --out @rates.json";
    let rates = || -> BTreeMap<String, f64> {
        serde_json::from_str(&fs::read_to_string(room.at("rates.json")).unwrap()).unwrap()
    };
    room.run(&format!("bench tiny --only train {line}")).unwrap();
    assert_eq!(rates().into_keys().collect::<Vec<_>>(), ["train/tiny/1"]);
    room.run(&format!("bench tiny --only sample {line}")).unwrap();
    room.run(&format!("bench tiny --only encode {line}")).unwrap();
    let found = rates();
    assert_eq!(found.keys().collect::<Vec<_>>(), ["encode/tiny/1", "sample/tiny/1", "train/tiny/1"]);
    assert!(found.values().all(|&rate| rate > 0.0 && rate.is_finite()), "{found:?}");
    room.refuses(&format!("bench huge {line}"), "official_celeba32");
    fs::write(room.at("rates.json"), "[]").unwrap();
    room.refuses(&format!("bench tiny {line}"), "rates.json");
}

pub fn presets(room: &Room) {
    let text = room.said("presets");
    for preset in shared::PRESETS {
        let line = text.lines().find(|line| line.split(' ').next() == Some(preset.name)).unwrap();
        let config = preset.config();
        let expected = [config.image_shape()[1], config.param_count(), config.macs()].map(|number| number as f64);
        assert!(numbers(line).starts_with(&expected) && line.ends_with(preset.purpose), "{line}");
    }
    let timed = room.said("presets tiny --time --seconds 0.01 --batch 2 --images 100 --device cpu");
    let line = timed.lines().find(|line| line.starts_with("tiny ")).unwrap();
    let [_, _, _, rate, seconds] = numbers(line)[..] else { panic!("{timed}") };
    assert!(rate > 0.0 && (rate * seconds - 100.0).abs() < 0.1 * rate + 0.1 * seconds + 1.0, "{timed}");
    assert!(!timed.contains("demo"), "{timed}");
    room.refuses("presets --time --device cuda:97", "device");
}

pub fn quality(room: &Room) {
    let data = "--data msds1 --limit 40 --test-limit 16 --device cpu";
    room.run(&format!("fit-latents @m.safetensors --directions 4 --out @joint.safetensors {data}")).unwrap();
    let text = room.said(&format!("quality @m.safetensors @joint.safetensors --count 16 --out @q.json {data}"));
    for row in ["m, independent", "joint, joint", "joint, independent", "floor: training images"] {
        let line = text.lines().find(|line| line.starts_with(row)).unwrap_or_else(|| panic!("{row}: {text}"));
        let found = numbers(&line[36..]);
        assert!(found.len() >= 6 && found.iter().all(|&number| number >= 0.0), "{line}");
    }
    let rows: serde_json::Value = serde_json::from_str(&fs::read_to_string(room.at("q.json")).unwrap()).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 4);
    for row in rows.as_array().unwrap() {
        let share = |name: &str| row[name].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&share("precision")) && (0.0..=1.0).contains(&share("recall")), "{row}");
        assert!(share("frechet") >= 0.0 && row["swd"][0][0] == 16, "{row}");
    }
    room.refuses("quality @m.safetensors --data @images --device cpu", "at least 16");
}
