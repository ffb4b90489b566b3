//! Each number moves in the right direction, at the right scale, for what spoils pictures.

use std::sync::LazyLock;

use super::*;

const SIZE: usize = 16;
const COUNT: usize = 200;

/// Pictures of a bright square on a ground: where it is, its colour and the ground's differ; and fine grain.
fn pictures(count: usize, seed: u64) -> ImageSet {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut pixels = Vec::with_capacity(count * 3 * SIZE * SIZE);
    for _ in 0..count {
        let (top, left) = (rng.random_range(2..8), rng.random_range(2..8));
        let colours: Vec<(f32, f32)> =
            (0..3).map(|_| (rng.random_range(20.0..90.0), rng.random_range(140.0..220.0))).collect();
        for (ground, square) in colours {
            for i in 0..SIZE * SIZE {
                let inside = (top..top + 6).contains(&(i / SIZE)) && (left..left + 6).contains(&(i % SIZE));
                let grain = rng.random_range(-12.0..12.0);
                pixels.push((if inside { square } else { ground } + grain) as u8);
            }
        }
    }
    ImageSet::new("squares", SIZE, pixels, None).unwrap()
}

static BENCH: LazyLock<Bench> = LazyLock::new(Bench::new);

struct Bench {
    reference: Reference,
    clean: Vec<Vec<u8>>,
    floor: Scores,
}

impl Bench {
    fn new() -> Self {
        let (train, test) = (pictures(600, 1), pictures(COUNT, 2));
        let reference = Reference::new(&train, &test, COUNT, false);
        let floor = reference.floor(&train, false);
        Self { reference, clean: pictures(COUNT, 3).iter().map(<[u8]>::to_vec).collect(), floor }
    }

    fn score(&self, spoilt: impl Fn(usize, &[u8]) -> Vec<u8>) -> Scores {
        let spoilt: Vec<Vec<u8>> = self.clean.iter().enumerate().map(|(i, picture)| spoilt(i, picture)).collect();
        self.reference.score(&spoilt.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }
}

/// The mean of each pixel and its right neighbour's, within its row.
fn blur(picture: &[u8]) -> Vec<u8> {
    let mean = |row: &[u8], i: usize| ((u16::from(row[i]) + u16::from(row[(i + 1).min(SIZE - 1)])) / 2) as u8;
    picture.chunks_exact(SIZE).flat_map(|row| (0..SIZE).map(|i| mean(row, i)).collect::<Vec<_>>()).collect()
}

fn noise(amount: f32, i: usize, picture: &[u8]) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(i as u64);
    picture.iter().map(|&v| (f32::from(v) + rng.random_range(-amount..amount)).clamp(0.0, 255.0) as u8).collect()
}

#[test]
fn other_pictures_of_the_same_kind_score_as_the_floor_does() {
    let bench = &*BENCH;
    let same = bench.score(|_, picture| picture.to_vec());
    assert!(same.swd_mean() < 1.5 * bench.floor.swd_mean(), "{same:?} {:?}", bench.floor);
    assert!(same.precision > 0.6 && same.recall > 0.6, "{same:?}");
    assert!(same.frechet < 1.6 * bench.floor.frechet, "{same:?} {:?}", bench.floor);
    assert_eq!(same.swd.iter().map(|(edge, _)| *edge).collect::<Vec<_>>(), [16, 8]);
}

#[test]
fn blur_and_noise_are_seen_at_the_finest_scale() {
    let bench = &*BENCH;
    let floor = &bench.floor;
    for spoilt in [bench.score(|_, picture| blur(picture)), bench.score(|i, picture| noise(40.0, i, picture))] {
        let [fine, coarse] = [0, 1].map(|scale| spoilt.swd[scale].1 / floor.swd[scale].1);
        assert!(fine > 3.0 && fine > 1.5 * coarse, "{spoilt:?} {floor:?}");
    }
}

#[test]
fn a_shift_of_colour_is_seen_at_the_coarsest_scale() {
    let bench = &*BENCH;
    let red = |i: usize, picture: &[u8]| {
        let (mut picture, plane) = (picture.to_vec(), SIZE * SIZE);
        if i.is_multiple_of(4) {
            picture[..plane].iter_mut().for_each(|v| *v = v.saturating_add(80));
        }
        picture
    };
    let spoilt = bench.score(red);
    let [fine, coarse] = [0, 1].map(|scale| spoilt.swd[scale].1 / bench.floor.swd[scale].1);
    assert!(coarse > 2.0 && coarse > 1.5 * fine, "{spoilt:?} {:?}", bench.floor);
    assert!(spoilt.frechet > 2.0 * bench.floor.frechet && spoilt.precision < bench.floor.precision);
}

#[test]
fn outliers_cost_precision_dropped_modes_recall_and_swapped_halves_both() {
    let bench = &*BENCH;
    let floor = &bench.floor;
    let outliers = bench.score(|i, picture| match i % 3 {
        0 => picture.iter().map(|v| 255 - v).collect(),
        _ => picture.to_vec(),
    });
    assert!(outliers.precision < floor.precision - 0.15, "{outliers:?} {floor:?}");
    assert!(outliers.frechet > 3.0 * floor.frechet);

    let few: Vec<Vec<u8>> = (0..COUNT).map(|i| bench.clean[i % 12].clone()).collect();
    let dropped = bench.reference.score(&few.iter().map(Vec::as_slice).collect::<Vec<_>>());
    assert!(dropped.recall < 0.5 * floor.recall && dropped.precision > 0.5, "{dropped:?} {floor:?}");

    let swapped = bench.score(|_, picture| {
        let turned = |row: &[u8]| [&row[SIZE / 2..], &row[..SIZE / 2]].concat();
        picture.chunks_exact(SIZE).flat_map(turned).collect()
    });
    assert!(swapped.swd_mean() > 2.0 * floor.swd_mean() && swapped.frechet > 5.0 * floor.frechet, "{swapped:?}");
    assert!(swapped.precision < floor.precision - 0.2 && swapped.recall < floor.recall, "{swapped:?}");
}
