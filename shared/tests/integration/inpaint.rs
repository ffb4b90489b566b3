//! Inpainting, from random parameters.

use std::rc::Rc;
use std::sync::Arc;

use burn::backend::{Autodiff, Flex};
use shared::edit::inpaint::{Free, Inpainting, Mask, Phase, Wish};
use shared::sampler::Sampler;
use shared::{Flow, ImageFlow, LevelConfig, RgFlow, RgFlowConfig, Temperature};

use crate::numbers::values;

type Ad = Autodiff<Flex>;

fn config(size: usize) -> RgFlowConfig {
    let level = LevelConfig { layers: 2, res_blocks: 1, mlp: 1, hidden: 8 };
    RgFlowConfig::new(size, vec![level; (size / 4).ilog2() as usize + 1])
}

fn flow(size: usize) -> Flow<Ad> {
    RgFlow::random(&config(size), 0.15, 3, &Default::default()).unwrap().fold()
}

fn image(size: usize) -> Vec<f32> {
    (0..3 * size * size).map(|i| (i as f32 * 0.37).sin()).collect()
}

fn wish(others: usize) -> Wish {
    Wish { others, temperature: Temperature::uniform(0.8), texture: 0.3, seed: 5, sampler: None }
}

fn start(flow: &Flow<Ad>, images: Vec<f32>, mask: &Mask, free: Free, others: usize) -> Inpainting<Ad> {
    Inpainting::new(Rc::new(flow.clone()), images, mask, free, wish(others), &Default::default()).unwrap()
}

/// Squared distance of what is generated now to the known pixels.
fn misfit(inpainting: &Inpainting<Ad>) -> f32 {
    values(inpainting.look().unwrap())[0]
}

#[test]
fn known_pixels_stay_and_only_the_cones_latents_change() {
    for size in [16, 32, 64, 128] {
        let (flow, mask) = (flow(size), Mask::square(size, 5, 6, 4).unwrap());
        let given = image(size);
        let mut inpainting = start(&flow, given.clone(), &mask, Free::Coarse, 1);
        let smooth = inpainting.images().remove(0);
        let (before, mut least) = (misfit(&inpainting), f32::INFINITY);
        while inpainting.phase() == Phase::Best {
            least = least.min(misfit(&inpainting));
            inpainting.step();
        }
        assert!(least < 0.8 * before, "{size}: {before} {least}");
        while inpainting.step() {}
        let latents = |x: &[f32]| values(flow.forward(flow.batch(x.to_vec(), &Default::default()).unwrap()).latents);
        let reached = flow.reached_latents(&mask.pixels());
        assert_eq!(inpainting.touched(), (reached.len(), given.len()));
        let (taken, of) = inpainting.progress();
        assert!(taken == of && of > 20, "{taken} of {of}");
        let holes = mask.places(3);
        for completed in inpainting.images().into_iter().chain(inpainting.others()) {
            for i in 0..given.len() {
                assert_eq!(completed[i] == given[i], !holes.contains(&i), "{size}: pixel {i}");
            }
            let both = latents(&smooth).into_iter().zip(latents(&completed)).enumerate();
            let changed: Vec<usize> = both.filter(|(_, (a, b))| a != b).map(|(i, _)| i).collect();
            assert!(changed.iter().all(|i| reached.contains(i)), "{size}: a latent outside of the cone");
            // Rounding may leave one as it was.
            assert!(changed.len() * 20 > reached.len() * 19, "{size}: {} of {}", changed.len(), reached.len());
        }
    }
}

#[test]
fn what_is_wanted_follows_from_the_stage() {
    let (flow, mask) = (flow(32), Mask::square(32, 0, 16, 16).unwrap());
    let mut inpainting = start(&flow, image(32), &mask, Free::Coarse, 1);
    let smooth = inpainting.images();
    assert_eq!(inpainting.phase(), Phase::Best);
    inpainting.step();
    assert_eq!(inpainting.images(), smooth, "nothing worse than the smooth fill is shown");
    for _ in 1..6 {
        inpainting.step();
    }
    assert_ne!(inpainting.images(), smooth);
    while inpainting.phase() == Phase::Best {
        assert!(inpainting.others().is_empty());
        inpainting.step();
    }
    let best = inpainting.images();
    assert!(inpainting.others().is_empty(), "what is drawn is fit before it is shown");
    while inpainting.step() {}
    assert_eq!((inpainting.images(), inpainting.others().len(), inpainting.phase()), (best, 1, Phase::Done));
    assert!(inpainting.look().is_none());
}

#[test]
fn chosen_latents_approach_the_known_pixels() {
    let (flow, mask) = (flow(8), Mask::square(8, 2, 2, 3).unwrap());
    let chosen: Vec<usize> = (0..192).filter(|i| i % 3 > 0).collect();
    let mut inpainting = start(&flow, image(8), &mask, Free::Places(chosen.clone()), 0);
    // The others are those of the smooth fill, whose known pixels are met: the prior draws the chosen ones away.
    let latents = |x: &[f32]| values(flow.forward(flow.batch(x.to_vec(), &Default::default()).unwrap()).latents);
    let energy = |z: Vec<f32>| chosen.iter().map(|&i| z[i] * z[i]).sum::<f32>();
    let before = energy(latents(&inpainting.images()[0]));
    while inpainting.step() {}
    let completed = inpainting.images().remove(0);
    assert!(energy(latents(&completed)) < before);
    let holes = mask.places(3);
    assert!((0..192).all(|i| (completed[i] == image(8)[i]) != holes.contains(&i)));
    assert_eq!(inpainting.touched(), (chosen.len(), 192));
}

/// A direction with one weight at each level-1 latent of a channel, on both sides of the picture, and how far the completed
/// pictures' latents are along it.
#[test]
fn what_is_seen_speaks_for_what_goes_with_it() {
    let (flow, size) = (flow(16), 16);
    let levels = flow.latent_levels();
    let places: Vec<usize> = (0..size * size).filter(|&i| levels[i] == 1).collect();
    let weight = 1.0 / (places.len() as f32).sqrt();
    let direction: Vec<f32> = (0..levels.len()).map(|i| if places.contains(&i) { weight } else { 0.0 }).collect();
    let sampler = Arc::new(Sampler::new(vec![0.0; levels.len()], direction.clone(), vec![100.0]).unwrap());
    // A picture that is far along it.
    let latents: Vec<f32> = direction.iter().map(|v| 12.0 * v).collect();
    let given = values(flow.inverse(flow.batch(latents, &Default::default()).unwrap()).0);
    let mask = Mask::region(size, [0.0, 0.0, 1.0, 0.5]).unwrap();
    let run = |wish: Wish| {
        let flow = Rc::new(flow.clone());
        let mut inpainting =
            Inpainting::new(flow, given.clone(), &mask, Free::Coarse, wish, &Default::default()).unwrap();
        while inpainting.step() {}
        (inpainting.images().remove(0), inpainting.others())
    };
    let holes = mask.places(3);
    let off = |image: &[f32]| holes.iter().map(|&i| (image[i] - given[i]).powi(2)).sum::<f32>();
    let (alone, _) = run(Wish { texture: 0.0, ..wish(0) });
    let (joint, others) = run(Wish { texture: 0.0, sampler: Some(sampler.clone()), ..wish(2) });
    assert!(off(&joint) < 0.7 * off(&alone), "{} {}", off(&joint), off(&alone));
    assert!((0..given.len()).all(|i| (joint[i] == given[i]) != holes.contains(&i)));
    assert!(others.len() == 2 && off(&others[0]) != off(&others[1]));
    // One of another model is refused.
    let small = Rc::new(self::flow(8));
    let wish = Wish { sampler: Some(sampler), ..wish(0) };
    let mask = Mask::square(8, 0, 0, 2).unwrap();
    let refused = Inpainting::new(small, image(8), &mask, Free::Coarse, wish, &Default::default()).err().unwrap();
    assert!(refused.to_string().contains("fit it again"), "{refused}");
}

#[test]
fn images_and_completions_keep_apart() {
    let (flow, mask) = (flow(8), Mask::square(8, 0, 0, 4).unwrap());
    let other: Vec<f32> = image(8).iter().map(|v| 0.3 - v).collect();
    let run = |images: Vec<f32>| {
        let mut inpainting = start(&flow, images, &mask, Free::Coarse, 2);
        while inpainting.step() {}
        (inpainting.images(), inpainting.others())
    };
    let (both, others) = run([image(8), other.clone()].concat());
    let alone = run(image(8)).0;
    assert!(both[0].iter().zip(&alone[0]).all(|(a, b)| (a - b).abs() < 1e-3));
    assert_eq!(others.len(), 4);
    let (hole, known) = (mask.places(3)[0], 191);
    assert!((others[0][hole] - others[1][hole]).abs() > 1e-3);
    assert_eq!([others[1][known], others[2][known]], [image(8)[known], other[known]]);
}

#[test]
fn a_model_of_one_level_has_something_to_move() {
    let config = RgFlowConfig::new(4, vec![LevelConfig { layers: 2, res_blocks: 1, mlp: 1, hidden: 8 }]);
    let flow = RgFlow::<Ad>::random(&config, 0.15, 3, &Default::default()).unwrap().fold();
    let mask = Mask::square(4, 0, 0, 2).unwrap();
    let mut inpainting = start(&flow, image(4), &mask, Free::Coarse, 0);
    let before = misfit(&inpainting);
    while inpainting.phase() == Phase::Best {
        inpainting.step();
        if let Some(look) = inpainting.look() {
            assert!(values(look)[0].is_finite());
        }
    }
    assert!(before > 0.0 && inpainting.images()[0] != image(4));
}

#[test]
fn what_does_not_fit_is_refused() {
    let start = |mask: &Mask, free, len| {
        Inpainting::new(Rc::new(flow(8)), vec![0.0; len], mask, free, wish(0), &Default::default())
            .err()
            .unwrap()
            .to_string()
    };
    let mask = Mask::square(8, 0, 0, 2).unwrap();
    assert!(start(&Mask::square(16, 0, 0, 2).unwrap(), Free::Coarse, 192).contains("resize the mask"));
    assert!(start(&mask, Free::Coarse, 191).contains("191 numbers"));
    assert!(start(&mask, Free::Places(vec![192]), 192).contains("0 to 191"));
    assert!(start(&mask, Free::Places(vec![]), 192).contains("0 to 191"));
}
