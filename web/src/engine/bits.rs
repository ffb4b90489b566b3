//! How unlikely a picture is, scale by scale.

use shared::geometry::{Levels, counts_by_level};
use shared::logit::{image_to_logit, to_pixel};
use shared::{DataKind, FlowBackend, ImageFlow};

use super::Engine;
use super::edit::planar;
use super::pixels::finite;
use crate::error::Result;
use crate::protocol::Source;

impl<B: FlowBackend> Engine<B> {
    /// Bits for each new number of each scale, coarsest first, of the picture as it is shown: in bytes, each value the
    /// middle of its cell, as `trainer eval --usual` takes test pictures. So a sample and a photograph can be compared.
    ///
    /// # Errors
    /// As [`Engine::latents`].
    pub async fn bits(&self, source: &Source) -> Result<Vec<f32>> {
        let config = self.config();
        let pixels: Vec<u8> = match source {
            Source::Own { rgb } => planar(config, rgb)?,
            drawn => {
                let (image, _) = self.flow.inverse(self.latents(drawn).await?);
                finite(image).await?.into_iter().map(to_pixel).collect()
            }
        };
        let (logits, log_det) = image_to_logit(&pixels, || 0.5);
        let parts = finite(self.flow.log_prob_by_level(self.flow.batch(logits, &self.device)?)).await?;
        let parts: Vec<f64> = parts.into_iter().map(f64::from).collect();
        let counts = counts_by_level(&Levels::new(config).of_picture());
        let bits = DataKind::Images.cost_by_level(&parts, log_det.into(), &counts);
        Ok(bits.into_iter().rev().map(|bits| bits as f32).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{now, tiny};
    use super::*;
    use crate::protocol::Drawing;
    use shared::Temperature;
    use shared::logit::bits_per_dim;

    #[test]
    fn scales_add_up_to_the_whole_and_a_picture_is_what_is_shown() {
        let engine = tiny();
        let drawing = Drawing::independent(Temperature::uniform(0.8));
        let sample = Source::Sample { seed: 7, index: 3, drawing };
        let bits = now(engine.bits(&sample)).unwrap();
        let picture = now(engine.pictures(now(engine.latents(&sample)).unwrap())).unwrap().remove(0);
        let rgb: Vec<u8> = picture.rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
        // The same picture as a photograph.
        assert_eq!(now(engine.bits(&Source::Own { rgb: rgb.clone().into() })).unwrap(), bits);
        let (logits, log_det) = image_to_logit(&planar(engine.config(), &rgb).unwrap(), || 0.5);
        let log_prob = engine.flow.log_prob(engine.flow.batch(logits, &engine.device).unwrap()).into_scalar();
        let whole = bits_per_dim(f64::from(log_prob + log_det), 768);
        let sum: f64 =
            bits.iter().zip([48.0, 144.0, 576.0]).map(|(&bits, count)| f64::from(bits) * count / 768.0).sum();
        assert!((sum - whole).abs() < 1e-4, "{bits:?} {whole}");
        assert!(now(engine.bits(&Source::Own { rgb: vec![0; 12].into() })).is_err());
    }
}
