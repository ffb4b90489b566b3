//! Whether WebGPU may take a run over: the same steps from the same start on both backends, compared and timed.

use crate::error::{Error, Result};
use crate::protocol::{BackendChoice, Learned};
use crate::training::parameters;
use crate::worker::agree::agree;

/// Steps that are compared.
pub const STEPS: u32 = 4;

/// Rounding moves bits/dim by no more than this…
const BITS: f32 = 2e-3;
/// …and the parameters' end by no more than this share of the way that they went. AdamW makes much of the least gradients.
const SHARE: f64 = 0.1;

/// Where a trial starts from.
#[derive(Debug)]
pub struct Start {
    /// The trainable parameters.
    pub parameters: Vec<f32>,
    /// Milliseconds spent learning before.
    pub millis: f64,
}

/// What became of it.
#[derive(Debug)]
pub struct End {
    parameters: Vec<f32>,
    learned: Learned,
}

impl End {
    /// From a look after the last step, and the run as bytes.
    ///
    /// # Errors
    /// [`Error::Learning`] if the bytes are no run.
    pub fn new(learned: Learned, run: &[u8]) -> Result<Self> {
        Ok(Self { parameters: parameters(run)?, learned })
    }

    /// Milliseconds that a step took.
    fn millis(&self, start: &Start) -> f64 {
        (self.learned.millis - start.millis) / f64::from(STEPS)
    }
}

/// A line about the GPU that takes over. `shared` is what a step takes the CPU where several workers share it, in
/// milliseconds.
///
/// # Errors
/// [`Error::Gpu`] if it is not right, or not faster though only that would do.
pub fn judge(start: &Start, cpu: &End, gpu: &End, shared: Option<f64>, choice: BackendChoice) -> Result<String> {
    if !(same_bits(&cpu.learned, &gpu.learned) && same_way(&start.parameters, &cpu.parameters, &gpu.parameters)) {
        return Err(Error::Gpu("its steps differ from the CPU's".to_owned()));
    }
    let pictures = |end: &End| end.learned.samples.iter().map(|image| image.rgba.to_vec()).collect::<Vec<_>>();
    if !agree(&pictures(cpu), &pictures(gpu)) {
        return Err(Error::Gpu("its pictures differ from the CPU's".to_owned()));
    }
    let (there, here) = (gpu.millis(start), shared.unwrap_or(f64::INFINITY).min(cpu.millis(start)));
    if choice == BackendChoice::Auto && there >= here {
        return Err(Error::Gpu(format!("it is slower here, {there:.1} ms a step, {here:.1} ms on the CPU")));
    }
    Ok(format!("It takes the same steps as the CPU: {there:.1} ms each, {here:.1} ms on the CPU."))
}

/// Whether the newest points of both curves are the same, up to rounding.
fn same_bits(a: &Learned, b: &Learned) -> bool {
    let (Some(a), Some(b)) = (a.curve.last(), b.curve.last()) else { return false };
    let (Some(one), Some(other)) = (a.train, b.train) else { return false };
    (one - other).abs() <= BITS && (a.held_out - b.held_out).abs() <= BITS
}

/// Whether both went the same way from there, up to rounding.
fn same_way(start: &[f32], a: &[f32], b: &[f32]) -> bool {
    let distance = |from: &[f32], to: &[f32]| {
        from.iter().zip(to).map(|(&from, &to)| f64::from(from - to).powi(2)).sum::<f64>().sqrt()
    };
    start.len() == a.len() && a.len() == b.len() && distance(a, b) <= SHARE * distance(start, a)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{CurvePoint, Image};

    const START: [f32; 3] = [1.0, 2.0, 3.0];

    fn start() -> Start {
        Start { parameters: START.to_vec(), millis: 100.0 }
    }

    /// Steps of these milliseconds that led to these bits and, by these amounts, to other parameters.
    fn end(step: f64, bits: [f32; 2], way: [f32; 3]) -> End {
        let [train, held_out] = bits;
        let millis = 100.0 + step * f64::from(STEPS);
        let learned = Learned {
            step: 9,
            images: 144,
            millis,
            speed: 100.0,
            curve: vec![CurvePoint { millis, train: Some(train), held_out }],
            samples: vec![Image { size: 1, rgba: vec![9, 9, 9, 255].into() }; 16],
            kept: false,
        };
        End { parameters: START.iter().zip(way).map(|(from, by)| from + by).collect(), learned }
    }

    const WAY: [f32; 3] = [0.1, -0.2, 0.1];

    #[test]
    fn the_faster_one_is_used_if_it_is_right() {
        let cpu = end(40.0, [4.2, 4.3], WAY);
        let note =
            judge(&start(), &cpu, &end(5.0, [4.201, 4.299], [0.1, -0.19, 0.105]), None, BackendChoice::Auto).unwrap();
        assert!(note.contains("5.0 ms each, 40.0 ms"), "{note}");
        let slower = end(40.0, [4.2, 4.3], WAY);
        let error = judge(&start(), &cpu, &slower, None, BackendChoice::Auto).unwrap_err().to_string();
        assert!(error.contains("slower"), "{error}");
        judge(&start(), &cpu, &slower, None, BackendChoice::Gpu).unwrap();
        // Faster than one worker, but not than several.
        let faster = end(20.0, [4.2, 4.3], WAY);
        let error = judge(&start(), &cpu, &faster, Some(15.0), BackendChoice::Auto).unwrap_err().to_string();
        assert!(error.contains("20.0 ms a step, 15.0 ms on the CPU"), "{error}");
    }

    #[test]
    fn a_wrong_one_is_never_used() {
        let cpu = end(40.0, [4.2, 4.3], WAY);
        let mut unseen = end(5.0, [4.2, 4.3], WAY);
        unseen.learned.curve.clear();
        let mut few = end(5.0, [4.2, 4.3], WAY);
        few.parameters.pop();
        let mut other = end(5.0, [4.2, 4.3], WAY);
        other.learned.samples[3].rgba[0] = 200;
        for (what, gpu) in [
            ("another loss", end(5.0, [4.21, 4.3], WAY)),
            ("other bits of new pictures", end(5.0, [4.2, 4.29], WAY)),
            ("no number", end(5.0, [f32::NAN, 4.3], WAY)),
            ("no step", end(5.0, [4.2, 4.3], [0.0; 3])),
            ("another way", end(5.0, [4.2, 4.3], [0.1, -0.2, 0.15])),
            ("parameters that are no numbers", end(5.0, [4.2, 4.3], [f32::NAN; 3])),
            ("no look", unseen),
            ("too few parameters", few),
            ("another picture", other),
        ] {
            for choice in [BackendChoice::Auto, BackendChoice::Gpu] {
                let judged = judge(&start(), &cpu, &gpu, None, choice);
                assert!(judged.is_err_and(|error| error.to_string().contains("differ from the CPU's")), "{what}");
            }
        }
    }
}
