//! `trainer neighbours`.

use super::model::load_any;
use super::sample::Sample;
use crate::cli::NeighboursArgs;
use crate::device::dispatch;
use crate::drawing::Drawing;
use crate::error::Result;
use crate::neighbours::{nearest, quantile};
use crate::output::say;
use crate::sheet;

/// Compares how near samples and test images come to training images.
///
/// # Errors
/// A model or data that cannot be read, or a picture that cannot be written.
pub fn run(args: NeighboursArgs) -> Result<()> {
    if let Some(out) = &args.out {
        super::keep_apart(args.data.name(), args.data.test_data.as_deref(), out)?;
    }
    let loaded = load_any(&args.model)?;
    let [channels, size] = loaded.file.config().image_shape();
    let dims = channels * size * size;
    let dataset = super::load(&args.data, [channels, size])?;
    let job = Sample {
        loaded: &loaded,
        path: &args.model,
        seed: args.seed,
        count: args.count,
        drawing: Drawing::of(&loaded.file, &args.temperature),
    };
    let samples = dispatch(args.device.device, job)?;
    let test: Vec<_> = (0..dataset.test.len().min(samples.len())).collect();
    let near_samples = nearest(&samples.concat(), dataset.train.pixels(), dims, size);
    let near_test = nearest(dataset.test.subset(&test)?.pixels(), dataset.train.pixels(), dims, size);
    say!("distance to the nearest of {} training images, of 255", dataset.train.len())?;
    say!("             smallest   5 %  median")?;
    for (name, found) in [("samples", &near_samples), ("test images", &near_test)] {
        let [smallest, low, median] = [0.0, 0.05, 0.5].map(|share| quantile(found, share));
        say!("{name:<12} {smallest:>8.1} {low:>5.1} {median:>7.1}")?;
    }
    if let Some(out) = &args.out {
        let pair = |(sample, &(_, i)): (&Vec<u8>, &(f64, usize))| [sample.clone(), dataset.train.image(i).to_vec()];
        let mut order: Vec<_> = samples.iter().zip(&near_samples).collect();
        order.sort_by(|a, b| a.1.0.total_cmp(&b.1.0));
        let pairs: Vec<Vec<u8>> = order.into_iter().take(32).flat_map(pair).collect();
        sheet::save(&sheet::sheet(&pairs, size, channels, 8, 3), out)?;
        say!("the nearest samples, each with its training image: {}", out.display())?;
    }
    Ok(())
}
