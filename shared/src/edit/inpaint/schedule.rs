//! Which latents a fit may move, for how long, and how closely it has to match the known pixels.

/// What an inpainting is computing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The best completion.
    Best,
    /// The others.
    Others,
    /// Nothing: it is done.
    Done,
}

/// One stage of a fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// The finest level that moves; all coarser ones move too.
    pub level: usize,
    /// ε, the standard deviation that the known pixels are matched to, in logits.
    pub tolerance: f64,
    /// Number of gradients.
    pub gradients: u32,
}

/// ε in the first and the last stage. Stopping early keeps the latents likely; ε hardly matters.
const TOLERANCE: [f64; 2] = [0.6, 0.3];

/// The stages of a model whose coarsest level is `top`: that level alone, then one level more each time, down to
/// level 1. In a model of one level that level moves.
pub fn stages(top: usize, phase: Phase) -> Vec<Stage> {
    let last = top.min(1);
    let count = top - last + 1;
    let stage = |k: usize| {
        let done = if count > 1 { k as f64 / (count - 1) as f64 } else { 1.0 };
        let tolerance = TOLERANCE[0] * (TOLERANCE[1] / TOLERANCE[0]).powf(done);
        let gradients = match (phase, k) {
            (Phase::Done, _) => 0,
            (Phase::Best, 0) => 6,
            (Phase::Others, 0) => 4,
            // The others start close to their end.
            (Phase::Others, 1) if count > 2 => 8,
            _ => 10,
        };
        Stage { level: top - k, tolerance, gradients }
    };
    (0..count).map(stage).collect()
}

/// What follows the stages of a best completion if the hole is small: enough is known around it to fit every level,
/// even the finest. In a large hole that would do harm.
pub fn refinement(top: usize) -> Vec<Stage> {
    vec![Stage { level: top.min(1), tolerance: 0.2, gradients: 10 }, Stage { level: 0, tolerance: 0.1, gradients: 14 }]
}

/// One stage that moves all latents, with as many gradients as all stages of an RG-Flow with blocks of 4×4 pixels for
/// images of this size together, so that the comparison is fair.
pub fn at_once(size: usize, phase: Phase, refined: bool) -> Stage {
    let top = (size / 4).max(1).ilog2() as usize;
    let more = if refined { refinement(top) } else { vec![] };
    let gradients = stages(top, phase).iter().chain(&more).map(|stage| stage.gradients).sum();
    Stage { level: 0, tolerance: TOLERANCE[1], gradients }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_join_from_coarse_to_fine_and_the_finest_never() {
        let of = |top| stages(top, Phase::Best);
        assert_eq!(of(3).iter().map(|s| (s.level, s.gradients)).collect::<Vec<_>>(), [(3, 6), (2, 10), (1, 10)]);
        assert_eq!(of(5).iter().map(|s| s.level).collect::<Vec<_>>(), [5, 4, 3, 2, 1]);
        assert_eq!((of(1).len(), of(1)[0].level), (1, 1));
        assert_eq!((of(0).len(), of(0)[0].level), (1, 0));
        assert!((of(3)[0].tolerance, of(3)[2].tolerance) == (0.6, 0.3) && of(3)[1].tolerance < 0.6);
        assert_eq!(at_once(32, Phase::Best, false).gradients, 26);
        assert_eq!(at_once(32, Phase::Best, true).gradients, 50);
        assert_eq!(at_once(32, Phase::Others, false).gradients, 22);
        assert_eq!(refinement(3).iter().map(|s| s.level).collect::<Vec<_>>(), [1, 0]);
    }
}
