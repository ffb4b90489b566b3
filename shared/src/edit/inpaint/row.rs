//! One image's completion under way, and the function that its fit minimises.

use super::lbfgs::Known;

/// One image's completion under way.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The variables, `[directions + C·L²]`.
    pub at: Vec<f32>,
    /// ξ, what they are drawn towards.
    pub xi: Vec<f32>,
    /// The image with its hole filled smoothly, as logits: the known pixels are taken from it.
    pub given: Vec<f32>,
    /// The known pixels that the latents are fit to.
    pub target: Vec<f32>,
    /// What is known there; `None` before the first look.
    pub seen: Option<Seen>,
}

/// What a look at some variables gives.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The picture that they generate, as logits.
    pub picture: Vec<f32>,
    /// Its squared distance to the known pixels.
    pub misfit: f64,
    /// The gradient of that distance with respect to the variables.
    pub gradient: Vec<f32>,
}

/// F = Σ (v − ξ)²/2 + misfit/2ε² and its gradient, over the variables v that move.
pub(super) fn objective(v: &[f32], xi: &[f32], seen: &Seen, moving: &[usize], tolerance: f64) -> Known {
    let precision = 1.0 / tolerance.powi(2);
    let at: Vec<f64> = moving.iter().map(|&i| f64::from(v[i])).collect();
    let off: Vec<f64> = moving.iter().zip(&at).map(|(&i, v)| v - f64::from(xi[i])).collect();
    let value = (off.iter().map(|off| off * off).sum::<f64>() + seen.misfit * precision) / 2.0;
    let slope = |&i: &usize| f64::from(seen.gradient[i]) * precision / 2.0;
    let gradient = off.iter().zip(moving.iter().map(slope)).map(|(off, slope)| off + slope).collect();
    Known { at, value, gradient }
}
