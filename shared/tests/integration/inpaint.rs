//! Inpainting, from random parameters and where the answer is known.

use std::rc::Rc;

use burn::backend::{Autodiff, Flex};
use shared::edit::inpaint::{Inpainting, Mask, Phase, Schedule, Variables};
use shared::{Flow, ImageFlow, LevelConfig, PriorKind, RgFlow, RgFlowConfig};

use crate::numbers::values;

type Ad = Autodiff<Flex>;

fn config(size: usize) -> RgFlowConfig {
    let level = LevelConfig { layers: 2, res_blocks: 1, mlp: 1, hidden: 8 };
    RgFlowConfig::new(size, vec![level; (size / 4).ilog2() as usize + 1])
}

fn flow(size: usize) -> Flow<Ad> {
    RgFlow::random(&config(size), 0.15, 3, &Default::default()).unwrap().fold(&config(size))
}

fn image(size: usize) -> Vec<f32> {
    (0..3 * size * size).map(|i| (i as f32 * 0.37).sin()).collect()
}

fn search(steps: u32) -> Schedule {
    Schedule { search: steps, sampling: 0, chains: 0, seed: 0 }
}

#[test]
fn known_pixels_stay_and_only_the_cones_latents_change() {
    let (flow, mask) = (flow(32), Mask::square(32, 5, 6, 4).unwrap());
    let given = image(32);
    let mut inpainting = Inpainting::new(
        Rc::new(flow.clone()),
        given.clone(),
        &mask,
        Variables::Pixels,
        search(20),
        &Default::default(),
    )
    .unwrap();
    let before = values(inpainting.objective());
    let first = values(inpainting.image());
    while inpainting.step() {}
    let (after, completed) = (values(inpainting.objective()), values(inpainting.image()));
    assert!(after[0] > before[0] + 1.0, "{before:?} {after:?}");
    let holes = mask.places(3);
    for i in 0..given.len() {
        assert_eq!(completed[i] == given[i], !holes.contains(&i), "{i}");
    }
    let reached = flow.reached_latents(&mask.pixels());
    let latents = |x: Vec<f32>| values(flow.forward(flow.batch(x, &Default::default()).unwrap()).latents);
    let (first, last) = (latents(first), latents(completed.clone()));
    for i in 0..given.len() {
        assert_eq!(first[i] != last[i], reached.contains(&i), "{i}");
    }
    assert_eq!(inpainting.touched(), (reached.len(), given.len()));
    assert!(reached.len() < given.len() / 2);
    let log_prob = values(flow.log_prob(flow.batch(completed, &Default::default()).unwrap()));
    assert!((log_prob[0] - after[0]).abs() < 1e-2, "the objective is the image's likelihood");
    assert_eq!((inpainting.phase(), inpainting.progress()), (Phase::Done, (20, 20)));
}

#[test]
fn chosen_latents_are_the_only_ones_to_move_and_approach_the_known_pixels() {
    let (flow, mask) = (flow(8), Mask::square(8, 2, 2, 3).unwrap());
    let device = Default::default();
    let chosen: Vec<usize> = (0..192).filter(|i| i % 3 > 0).collect();
    let mut inpainting = Inpainting::new(
        Rc::new(flow.clone()),
        image(8),
        &mask,
        Variables::Latents(chosen.clone()),
        search(60),
        &device,
    )
    .unwrap();
    let (before, first) = (values(inpainting.objective())[0], values(inpainting.image()));
    while inpainting.step() {}
    assert!(values(inpainting.objective())[0] > before + 1.0);
    let completed = values(inpainting.image());
    let holes = mask.places(3);
    assert!((0..192).all(|i| (completed[i] == image(8)[i]) != holes.contains(&i)));
    assert!(holes.iter().any(|&i| (completed[i] - first[i]).abs() > 1e-2));
    assert_eq!(inpainting.touched(), (chosen.len(), 192));
}

#[test]
fn images_and_chains_keep_apart() {
    let (flow, mask) = (flow(8), Mask::square(8, 0, 0, 4).unwrap());
    let device = Default::default();
    let other: Vec<f32> = image(8).iter().map(|v| 0.3 - v).collect();
    let schedule = Schedule { search: 5, sampling: 10, chains: 2, seed: 1 };
    let run = |images: Vec<f32>| {
        let mut inpainting =
            Inpainting::new(Rc::new(flow.clone()), images, &mask, Variables::Pixels, schedule.clone(), &device)
                .unwrap();
        assert!(inpainting.samples().is_none());
        while inpainting.step() {}
        (values(inpainting.image()), values(inpainting.samples().unwrap()))
    };
    let (both, samples) = run([image(8), other.clone()].concat());
    let alone = run(other.clone()).0;
    assert!(both[192..].iter().zip(&alone).all(|(a, b)| (a - b).abs() < 1e-4));
    assert_eq!(samples.len(), 4 * 192);
    let (hole, known) = (mask.places(3)[0], 191);
    let at = |k: usize, i: usize| samples[k * 192 + i];
    assert!(at(0, hole) != at(1, hole));
    assert_eq!([at(1, known), at(2, known)], [image(8)[known], other[known]]);
}

#[test]
fn samples_follow_the_prior_where_the_model_is_the_identity() {
    for (prior, kurtosis) in [(PriorKind::Laplace, 6.0), (PriorKind::Gaussian, 3.0)] {
        let config = RgFlowConfig { prior, channels: 1, ..config(8) };
        let flow = RgFlow::<Ad>::new(&config, 1, &Default::default()).unwrap().fold(&config);
        // Nine thousand numbers: the bounds below are four standard errors, and rounding decides where chains go.
        let mask = Mask::square(8, 0, 1, 7).unwrap();
        let schedule = Schedule { search: 0, sampling: 240, chains: 192, seed: 2 };
        let mut inpainting = Inpainting::new(
            Rc::new(flow),
            image(8)[..64].to_vec(),
            &mask,
            Variables::Pixels,
            schedule,
            &Default::default(),
        )
        .unwrap();
        while inpainting.step() {}
        let samples = values(inpainting.samples().unwrap());
        let holes = mask.places(1);
        let drawn: Vec<f64> = samples.chunks(64).flat_map(|x| holes.iter().map(|&i| f64::from(x[i]))).collect();
        let moment = |k: i32| drawn.iter().map(|v| v.powi(k)).sum::<f64>() / drawn.len() as f64;
        assert!(moment(1).abs() < 0.06, "{prior:?} {}", moment(1));
        assert!((moment(2) - 1.0).abs() < 0.1, "{prior:?} {}", moment(2));
        assert!((moment(4) / kurtosis - 1.0).abs() < 0.3, "{prior:?} {}", moment(4));
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let device = Default::default();
    let start = |mask: &Mask, variables, len| {
        Inpainting::new(Rc::new(flow(8)), vec![0.0; len], mask, variables, search(1), &device)
            .err()
            .unwrap()
            .to_string()
    };
    let mask = Mask::square(8, 0, 0, 2).unwrap();
    assert!(start(&Mask::square(16, 0, 0, 2).unwrap(), Variables::Pixels, 192).contains("resize the mask"));
    assert!(start(&mask, Variables::Pixels, 191).contains("191 numbers"));
    assert!(start(&mask, Variables::Latents(vec![192]), 192).contains("0 to 191"));
    assert!(start(&mask, Variables::Latents(vec![]), 192).contains("0 to 191"));
}
