//! At which scale a picture is unusual: its bits beside those of real pictures; a field's nats beside a sampler's fields'.

use shared::{DataKind, RgFlowConfig};

use crate::app::widgets::dom::capital;
use crate::app::widgets::numbers::signed;

/// A scale is unusual from so many deviations on.
pub const UNUSUAL: f32 = 2.0;

/// A scale's bits for each new number.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaleBits {
    /// The edge of the picture at this scale.
    pub edge: usize,
    /// The picture's.
    pub bits: f32,
    /// Mean and deviation over real pictures, if they are known.
    pub usual: Option<[f32; 2]>,
}

impl ScaleBits {
    /// How many deviations lie between the picture and the mean.
    pub fn distance(&self) -> Option<f32> {
        self.usual.map(|[mean, deviation]| (self.bits - mean) / deviation)
    }

    /// Its numbers, short: the difference says more than the bits themselves, whose zero differs from scale to scale.
    pub fn numbers(&self, kind: DataKind) -> String {
        // A site's nats vary less than a number's bits.
        let digits = if kind == DataKind::Field { 2 } else { 1 };
        match self.usual {
            Some([mean, deviation]) => {
                format!("{}, usually ±{:.digits$}", signed(self.bits - mean, digits), UNUSUAL * deviation)
            }
            None => format!("{:.digits$}", self.bits),
        }
    }
}

/// What is counted.
pub fn unit(kind: DataKind) -> &'static str {
    match kind {
        DataKind::Images => "bits",
        DataKind::Field => "nats",
    }
}

/// The scales of a picture, coarsest first, as its bits and the usual ones are.
pub fn scales(config: &RgFlowConfig, bits: &[f32], usual: &[[f32; 2]]) -> Vec<ScaleBits> {
    let count = config.level_count();
    // What was counted on other levels says nothing of these.
    let usual = |step: usize| usual.get(step).copied().filter(|_| usual.len() == count);
    let scale = |(step, &bits)| ScaleBits { edge: config.size >> (count - 1 - step), bits, usual: usual(step) };
    bits.iter().take(count).enumerate().map(scale).collect()
}

/// What stands out, and what was counted, in words.
pub fn said(scales: &[ScaleBits], kind: DataKind) -> String {
    if scales.is_empty() {
        return String::new();
    }
    if scales.iter().any(|scale| scale.usual.is_none()) {
        return format!("How many {} are usual is not known for this model.", unit(kind));
    }
    let those = |far: fn(f32) -> bool| {
        let edges: Vec<_> = scales.iter().filter(|scale| scale.distance().is_some_and(far)).map(|s| s.edge).collect();
        (!edges.is_empty()).then(|| at(&edges, scales.len()))
    };
    let real = if kind == DataKind::Field { "the sampler’s fields" } else { "test pictures" };
    let found = match (those(|distance| distance > UNUSUAL), those(|distance| distance < -UNUSUAL)) {
        (None, None) => "As usual at every scale.".to_owned(),
        (Some(more), None) => format!("Unusual {more}: it surprises the model more there than {real} do."),
        (None, Some(less)) => format!("Plain {less}: it surprises the model less there than {real} do."),
        (Some(more), Some(less)) => {
            format!("Unusual {more}, where it surprises the model more than {real} do, and plain {less}.")
        }
    };
    format!("{found} In {} for each new number; 0 is the mean of {real}.", unit(kind))
}

/// The chart for a screen reader.
pub fn in_words(scales: &[ScaleBits], kind: DataKind) -> String {
    let of = |scale: &ScaleBits| match scale.usual {
        Some([mean, deviation]) => {
            let (apart, more) = (scale.bits - mean, if scale.bits > mean { "more" } else { "fewer" });
            format!(
                "{0}×{0}: {1:.1} {more} than usual, which is within {2:.1}",
                scale.edge,
                apart.abs(),
                UNUSUAL * deviation
            )
        }
        None => format!("{0}×{0}: {1:.1}", scale.edge, scale.bits),
    };
    format!("{} for each new number. {}", capital(unit(kind)), scales.iter().map(of).collect::<Vec<_>>().join("; "))
}

fn at(edges: &[usize], scales: usize) -> String {
    let named: Vec<_> = edges.iter().map(|edge| format!("{edge}×{edge}")).collect();
    match &named[..] {
        _ if named.len() == scales => "at every scale".to_owned(),
        [one] => format!("at {one}"),
        [before @ .., last] => format!("at {} and {last}", before.join(", ")),
        [] => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: [[f32; 2]; 3] = [[4.0, 0.5], [5.0, 0.25], [3.0, 0.125]];

    fn of(bits: [f32; 3]) -> Vec<ScaleBits> {
        scales(&RgFlowConfig::tiny(), &bits, &USUAL)
    }

    #[test]
    fn scales_have_their_edges_and_distances() {
        let found = of([5.0, 5.0, 2.5]);
        assert_eq!(found.iter().map(|scale| scale.edge).collect::<Vec<_>>(), [4, 8, 16]);
        assert_eq!(found.iter().map(|scale| scale.distance().unwrap()).collect::<Vec<_>>(), [2.0, 0.0, -4.0]);
        assert_eq!(
            in_words(&found[..1], DataKind::Images),
            "Bits for each new number. 4×4: 1.0 more than usual, which is within 1.0"
        );
        let numbers: Vec<_> = found.iter().map(|scale| scale.numbers(DataKind::Images)).collect();
        assert_eq!(numbers, ["+1.0, usually ±1.0", "+0.0, usually ±0.5", "−0.5, usually ±0.2"]);
        assert_eq!(found[2].numbers(DataKind::Field), "−0.50, usually ±0.25");
    }

    #[test]
    fn what_stands_out_is_said() {
        let usual = said(&of([4.5, 4.6, 3.2]), DataKind::Images);
        assert_eq!(usual, "As usual at every scale. In bits for each new number; 0 is the mean of test pictures.");
        let more = said(&of([4.0, 6.0, 3.0]), DataKind::Images);
        assert!(more.starts_with("Unusual at 8×8: ") && more.contains("more"), "{more}");
        assert!(said(&of([5.5, 6.0, 3.0]), DataKind::Images).starts_with("Unusual at 4×4 and 8×8: "));
        assert!(said(&of([0.0, 0.0, 0.0]), DataKind::Images).starts_with("Plain at every scale: "));
        let both = said(&of([6.0, 5.0, 0.0]), DataKind::Images);
        assert!(both.starts_with("Unusual at 4×4, ") && both.contains("and plain at 16×16. In bits"), "{both}");
        assert_eq!(said(&[], DataKind::Images), "");
        let field = said(&of([4.0, 6.0, 3.0]), DataKind::Field);
        assert!(field.contains("the sampler’s fields"), "{field}");
    }

    #[test]
    fn without_usual_bits_there_is_no_verdict() {
        for usual in [&[][..], &USUAL[..2]] {
            let found = scales(&RgFlowConfig::tiny(), &[4.0, 5.0, 3.0], usual);
            assert!(said(&found, DataKind::Images).contains("not known") && found[0].distance().is_none());
            assert!(
                said(&found, DataKind::Field).contains("nats") && in_words(&found, DataKind::Field).starts_with("Nats")
            );
            assert_eq!(found[0].numbers(DataKind::Images), "4.0");
        }
    }
}
