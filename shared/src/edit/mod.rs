//! What can be done with a trained model: functions on latents and images as tensors, for every backend.
//!
//! - [`inpaint`]: unknown pixels from the likelihood, over the latents in their cone (fig. 7).

pub mod inpaint;
