//! One image's completion under way, and the function that its fit minimises.

use super::lbfgs::Known;

/// One image's completion under way.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Latents z, `[C·L²]`.
    pub z: Vec<f32>,
    /// ξ, what the latents are drawn towards.
    pub xi: Vec<f32>,
    /// The image with its hole filled smoothly, as logits: the known pixels are taken from it.
    pub given: Vec<f32>,
    /// The known pixels that the latents are fit to.
    pub target: Vec<f32>,
    /// What is known at `z`; `None` before the first look.
    pub seen: Option<Seen>,
}

/// What a look at some latents gives.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The picture that they generate, as logits.
    pub picture: Vec<f32>,
    /// Its squared distance to the known pixels.
    pub misfit: f64,
    /// The gradient of that distance with respect to the latents.
    pub gradient: Vec<f32>,
}

/// F(z) = Σ (z − ξ)²/2 + misfit/2ε² and its gradient, over the latents that move.
pub(super) fn objective(z: &[f32], xi: &[f32], seen: &Seen, moving: &[usize], tolerance: f64) -> Known {
    let precision = 1.0 / tolerance.powi(2);
    let at: Vec<f64> = moving.iter().map(|&i| f64::from(z[i])).collect();
    let off: Vec<f64> = moving.iter().zip(&at).map(|(&i, z)| z - f64::from(xi[i])).collect();
    let value = (off.iter().map(|off| off * off).sum::<f64>() + seen.misfit * precision) / 2.0;
    let slope = |&i: &usize| f64::from(seen.gradient[i]) * precision / 2.0;
    let gradient = off.iter().zip(moving.iter().map(slope)).map(|(off, slope)| off + slope).collect();
    Known { at, value, gradient }
}
