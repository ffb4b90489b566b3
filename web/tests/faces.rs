//! Whether the eyes in a photograph are found where they are.
#![cfg(not(target_arch = "wasm32"))]
// A test's helpers may fail as the test itself does.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::io::Read;
use std::path::Path;

use burn_flex::Flex;
use face_finder::{Face, Finder, Photo, file};
use sha2::{Digest, Sha256};
use shared::logit::to_pixel;
use shared::weights::ModelFile;

/// Pixels in a row of a face, and where its eyes are wanted: web/models/index.json has it in hundredths.
const EDGE: usize = 64;
const EYES: [(f32, f32); 2] = [(0.33, 0.31), (0.67, 0.31)];
/// How far off the farther eye may be, in pixels of a face.
const CLOSE: f32 = 2.0;
/// The most that a face is turned, in degrees.
const TURN: f32 = 30.0;

fn path(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn finder() -> Finder {
    Finder::new(&fs::read(path("faces/faces.safetensors")).unwrap()).unwrap()
}

/// Numbers that look random, the same on every machine.
struct Dice(u64);

impl Dice {
    fn within(&mut self, from: f32, to: f32) -> f32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        from + (to - from) * (self.0 >> 40) as f32 / (1_u64 << 24) as f32
    }
}

/// A face in a larger picture: a square, its middle, its edge, and how far it is turned.
struct Scene {
    size: (usize, usize),
    middle: (f32, f32),
    edge: f32,
    turn: f32,
}

impl Scene {
    /// Turned, small or large, and off the middle.
    fn thrown(dice: &mut Dice) -> Self {
        let size = (dice.within(280.0, 640.0), dice.within(280.0, 640.0));
        let (edge, turn) = (size.0.min(size.1) * dice.within(0.3, 0.75), dice.within(-TURN, TURN).to_radians());
        // The whole face is in the picture if it fits.
        let reach = edge / 2.0 * (turn.sin().abs() + turn.cos());
        let mut along = |length: f32| dice.within(reach.min(length / 2.0), (length - reach).max(length / 2.0));
        Self { size: (size.0 as usize, size.1 as usize), middle: (along(size.0), along(size.1)), edge, turn }
    }

    /// Upright in the middle.
    fn plain() -> Self {
        Self { size: (320, 320), middle: (160.0, 160.0), edge: 192.0, turn: 0.0 }
    }

    /// The photograph of a face, RGB bytes of [`EDGE`]² pixels, before a ground of soft colours and some noise.
    fn photo(&self, face: &[u8], dice: &mut Dice) -> Photo {
        Photo::new(self.size.0, self.size.1, &self.rgb(face, dice)).unwrap()
    }

    fn rgb(&self, face: &[u8], dice: &mut Dice) -> Vec<u8> {
        let (width, height) = self.size;
        let corners: [[f32; 3]; 4] = std::array::from_fn(|_| std::array::from_fn(|_| dice.within(20.0, 235.0)));
        let mut rgb = Vec::with_capacity(width * height * 3);
        for i in 0..width * height {
            let (x, y) = ((i % width) as f32 + 0.5, (i / width) as f32 + 0.5);
            let (u, v) = self.inwards((x, y));
            let inside = (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v);
            let (along, down, noise) = (x / width as f32, y / height as f32, dice.within(-8.0, 8.0));
            for c in 0..3 {
                let at = |row: usize, col: usize| f32::from(face[(row * EDGE + col) * 3 + c]);
                let value = if inside {
                    let limit = (EDGE - 1) as f32;
                    let (u, v) = ((u * EDGE as f32 - 0.5).clamp(0.0, limit), (v * EDGE as f32 - 0.5).clamp(0.0, limit));
                    let (col, row) = (u as usize, v as usize);
                    let (right, below) = ((col + 1).min(EDGE - 1), (row + 1).min(EDGE - 1));
                    mixed([at(row, col), at(row, right), at(below, col), at(below, right)], u.fract(), v.fract())
                } else {
                    mixed(corners.map(|corner| corner[c]), along, down) + noise
                };
                rgb.push(value.round().clamp(0.0, 255.0) as u8);
            }
        }
        rgb
    }

    /// A place of the picture in shares of the face's square.
    fn inwards(&self, (x, y): (f32, f32)) -> (f32, f32) {
        let (sin, cos) = self.turn.sin_cos();
        let (x, y) = (x - self.middle.0, y - self.middle.1);
        ((x * cos + y * sin) / self.edge + 0.5, (y * cos - x * sin) / self.edge + 0.5)
    }

    /// The eyes of a face that was found here, in shares of the face's square.
    fn eyes(&self, face: &Face) -> [(f32, f32); 2] {
        face.eyes.map(|eye| self.inwards(eye))
    }
}

/// Between four corners' values.
fn mixed(corners: [f32; 4], along: f32, down: f32) -> f32 {
    let between = |a: f32, b: f32, share: f32| a + (b - a) * share;
    between(between(corners[0], corners[1], along), between(corners[2], corners[3], along), down)
}

/// The distance of the eye that is farther off, in pixels of a face.
fn off(found: [(f32, f32); 2], wanted: [(f32, f32); 2]) -> f32 {
    let far = |(a, b): ((f32, f32), (f32, f32))| (a.0 - b.0).hypot(a.1 - b.1) * EDGE as f32;
    found.into_iter().zip(wanted).map(far).fold(0.0, f32::max)
}

/// What was measured on some faces.
#[derive(Debug)]
struct Measured {
    /// How many faces.
    count: usize,
    /// In how many none was found.
    missed: usize,
    /// In how many both eyes are within [`CLOSE`] of where they are in the untouched picture…
    close: usize,
    /// …and of where faces have them on average.
    close_to_mean: usize,
    /// The same of the untouched pictures: nobody can be closer than the faces are.
    untouched: usize,
    /// The median distance to the untouched picture's eyes.
    median: f32,
}

fn measure(faces: &[Vec<u8>]) -> Measured {
    let (finder, mut dice) = (finder(), Dice(3));
    let mut measured = Measured { count: 0, missed: 0, close: 0, close_to_mean: 0, untouched: 0, median: 0.0 };
    let mut distances = Vec::new();
    for face in faces {
        let plain = Scene::plain();
        let Some(seen) = finder.find(plain.photo(face, &mut dice)).first().map(|face| plain.eyes(face)) else {
            println!("a face is not found in the untouched picture");
            continue;
        };
        measured.count += 1;
        measured.untouched += usize::from(off(seen, EYES) <= CLOSE);
        let scene = Scene::thrown(&mut dice);
        match finder.find(scene.photo(face, &mut dice)).first().map(|face| scene.eyes(face)) {
            Some(eyes) => {
                measured.close += usize::from(off(eyes, seen) <= CLOSE);
                measured.close_to_mean += usize::from(off(eyes, EYES) <= CLOSE);
                distances.push(off(eyes, seen));
            }
            None => measured.missed += 1,
        }
    }
    distances.sort_by(f32::total_cmp);
    measured.median = distances[distances.len() / 2];
    measured
}

/// Samples of the shipped model, RGB bytes.
fn samples(count: u64) -> Vec<Vec<u8>> {
    let file = ModelFile::from_bytes(&fs::read(path("models/faces.safetensors")).unwrap()).unwrap();
    let (config, device) = (file.config.clone(), Default::default());
    let temperature = file.card.recommended(shared::sampler::Latents::Joint).unwrap();
    let sampler = file.sampler.clone().unwrap();
    let latents = (0..count).flat_map(|i| sampler.draw(&config, 3, i, &temperature).unwrap()).collect();
    let flow = file.into_flow::<Flex>(&device).unwrap();
    let logits = flow.inverse(flow.batch(latents, &device).unwrap()).0.into_data().to_vec::<f32>().unwrap();
    let plane = EDGE * EDGE;
    let picture = |planar: &[f32]| (0..plane * 3).map(|i| to_pixel(planar[i % 3 * plane + i / 3])).collect();
    logits.chunks_exact(config.dims()).map(picture).collect()
}

#[test]
fn the_file_is_the_one_that_the_page_asks_for() {
    let bytes = fs::read(path("faces").join(file::NAME)).unwrap();
    let digest: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!((bytes.len() as u64, digest.as_str()), (file::BYTES, file::SHA256));
    assert!(bytes.len() <= 300_000);
}

#[test]
fn a_damaged_file_is_refused() {
    let bytes = fs::read(path("faces/faces.safetensors")).unwrap();
    for bad in [&bytes[..0], &bytes[..7], &bytes[..bytes.len() - 1], &fs::read(path("models/index.json")).unwrap()[..]]
    {
        assert!(Finder::new(bad).unwrap_err().to_string().contains("damaged"));
    }
}

#[test]
fn eyes_are_found_in_turned_faces_of_any_size() {
    let measured = measure(&samples(12));
    println!("{measured:?}");
    assert!(measured.count >= 11, "{measured:?}");
    assert!(measured.close * 10 >= measured.count * 9, "{measured:?}");
    assert!(measured.median < 0.5, "{measured:?}");
}

#[test]
fn faces_come_with_the_largest_first_and_nothing_is_no_face() {
    let (finder, face, mut dice) = (finder(), samples(1).remove(0), Dice(1));
    let blank = Photo::new(300, 200, &[128; 300 * 200 * 3]).unwrap();
    assert_eq!(finder.find(blank), []);
    assert_eq!(finder.find(Photo::new(1, 1, &[0; 3]).unwrap()), []);
    assert_eq!(finder.find(Photo::new(2000, 1, &[9; 6000]).unwrap()), []);
    // Two in one picture: the second is a copy at another place and size.
    let [left, right] = [(110.0, 120.0, 150.0), (400.0, 200.0, 220.0)].map(|(x, y, edge)| Scene {
        size: (560, 360),
        middle: (x, y),
        edge,
        turn: 0.0,
    });
    let (a, b) = (left.rgb(&face, &mut dice), right.rgb(&face, &mut dice));
    let row = |i: usize| [&a[i * 560 * 3..][..250 * 3], &b[(i * 560 + 250) * 3..][..310 * 3]].concat();
    let both: Vec<u8> = (0..360).flat_map(row).collect();
    let found = finder.find(Photo::new(560, 360, &both).unwrap());
    assert_eq!(found.len(), 2, "{found:?}");
    for (scene, face) in [right, left].iter().zip(&found) {
        assert!(off(scene.eyes(face), EYES) < 3.0, "{found:?}");
    }
}

/// `FACES=photographs.zip cargo test -p web --test faces --release -- --ignored --nocapture`: photographs of 64×64 pixels,
/// aligned as the model's.
#[test]
#[ignore = "needs a .zip of aligned photographs in FACES"]
fn eyes_are_found_in_photographs() {
    let file = fs::File::open(std::env::var("FACES").expect("set FACES to a .zip of photographs")).unwrap();
    let mut archive = zip::ZipArchive::new(file).unwrap();
    let mut faces = Vec::new();
    for i in 0..archive.len() {
        let mut bytes = Vec::new();
        archive.by_index(i).unwrap().read_to_end(&mut bytes).unwrap();
        let Ok(image) = image::load_from_memory(&bytes) else { continue };
        assert_eq!((image.width(), image.height()), (EDGE as u32, EDGE as u32));
        faces.push(image.to_rgb8().into_raw());
        if faces.len() == 50 {
            break;
        }
    }
    let measured = measure(&faces);
    println!("{measured:?}");
    assert!(measured.close * 10 >= measured.count * 9, "{measured:?}");
}
