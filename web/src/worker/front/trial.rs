//! Whether WebGPU may take over: the same samples from both backends, compared and timed.

use shared::Temperature;

use crate::error::{Error, Result};
use crate::protocol::{BackendChoice, Draw, Drawing};
use crate::worker::agree::agree;

/// The samples to compare: as many as the page shows, drawn as it draws them.
const SEED: u64 = 7;
const PICTURES: u32 = 16;
const TEMPERATURE: f32 = 0.8;

/// What one backend made of the samples.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Four bytes per pixel.
    pub pictures: Vec<Vec<u8>>,
    /// How long one of them took.
    pub millis: f64,
}

/// The task of drawing the samples.
pub fn task() -> Draw {
    Draw::Samples { seed: SEED, indices: indices(), drawing: drawing() }
}

/// Which samples of [`seed`].
pub fn indices() -> Vec<u32> {
    (0..PICTURES).collect()
}

/// The samples' seed.
pub fn seed() -> u64 {
    SEED
}

/// How the samples are drawn.
pub fn drawing() -> Drawing {
    Drawing::independent(Temperature::uniform(TEMPERATURE))
}

/// A line about the GPU that takes over.
///
/// # Errors
/// [`Error::Gpu`] if it is not right, or not faster though only that would do.
pub fn judge(cpu: &Run, gpu: &Run, choice: BackendChoice) -> Result<String> {
    if !agree(&cpu.pictures, &gpu.pictures) {
        return Err(Error::Gpu("its pictures differ from the CPU's".to_owned()));
    }
    let times = format!("{:.1} ms per picture, {:.1} ms on the CPU", gpu.millis, cpu.millis);
    if choice == BackendChoice::Auto && gpu.millis >= cpu.millis {
        return Err(Error::Gpu(format!("it is slower here, {times}")));
    }
    Ok(format!("WebGPU draws the same pictures as the CPU: {times}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(millis: f64, change: impl Fn(usize) -> u8) -> Run {
        let picture = |k: usize| (0..1024).map(|i| (i % 200) as u8 + change(k * 1024 + i)).collect();
        Run { pictures: (0..4).map(picture).collect(), millis }
    }

    #[test]
    fn the_faster_one_is_used_if_it_is_right() {
        let cpu = run(8.0, |_| 0);
        let note = judge(&cpu, &run(2.0, |i| (i % 3) as u8), BackendChoice::Auto).unwrap();
        assert!(note.contains("2.0 ms") && note.contains("8.0 ms"), "{note}");
        judge(&cpu, &run(2.0, |i| if i == 5 { 40 } else { 0 }), BackendChoice::Auto).unwrap();
    }

    #[test]
    fn a_slower_one_is_used_only_if_the_reader_wants_it() {
        let (cpu, gpu) = (run(8.0, |_| 0), run(9.0, |_| 0));
        let error = judge(&cpu, &gpu, BackendChoice::Auto).unwrap_err().to_string();
        assert!(error.contains("slower"), "{error}");
        judge(&cpu, &gpu, BackendChoice::Gpu).unwrap();
    }

    #[test]
    fn a_wrong_one_is_never_used() {
        let cpu = run(8.0, |_| 0);
        let zeros = Run { pictures: vec![vec![0; 1024]; 4], millis: 1.0 };
        let none = Run { pictures: vec![], millis: 1.0 };
        let short = Run { pictures: vec![vec![0; 1023]; 4], millis: 1.0 };
        for gpu in [zeros, none, short, run(1.0, |i| if i % 100 == 0 { 5 } else { 0 })] {
            for choice in [BackendChoice::Auto, BackendChoice::Gpu] {
                assert!(judge(&cpu, &gpu, choice).unwrap_err().to_string().contains("differ from the CPU's"));
            }
        }
    }
}
