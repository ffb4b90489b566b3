//! How unlikely a picture is, scale by scale.

use shared::geometry::{Levels, counts_by_level};
use shared::logit::{image_to_logit, to_pixel};
use shared::{FlowBackend, ImageFlow};

use super::Engine;
use super::edit::planar;
use super::pixels::{Look, finite};
use crate::error::Result;
use crate::protocol::Source;

impl<B: FlowBackend> Engine<B> {
    /// Bits for each new number of each scale, coarsest first, of the picture as it is shown: in bytes, each value the
    /// middle of its cell, as `trainer eval --usual` takes test pictures. So a sample and a photograph can be compared.
    /// Of a field nats, and its values are taken as they are.
    ///
    /// # Errors
    /// As [`Engine::latents`].
    pub async fn bits(&self, source: &Source) -> Result<Vec<f32>> {
        let config = self.config();
        let drawn = match source {
            Source::Own { .. } => vec![],
            drawn => finite(self.flow.inverse(self.latents(drawn).await?).0).await?,
        };
        let (numbers, log_det) = match (self.look, source) {
            (Look::Pixels(_), Source::Own { rgb }) => image_to_logit(&planar(config, rgb)?, || 0.5),
            (Look::Pixels(_), _) => image_to_logit(&drawn.into_iter().map(to_pixel).collect::<Vec<_>>(), || 0.5),
            (Look::Field(_), Source::Own { rgb }) => (self.look.numbers(&planar(config, rgb)?), 0.0),
            (Look::Field(_), _) => (drawn, 0.0),
        };
        let parts = finite(self.flow.log_prob_by_level(self.flow.batch(numbers, &self.device)?)).await?;
        let parts: Vec<f64> = parts.into_iter().map(f64::from).collect();
        let counts = counts_by_level(&Levels::new(config).of_picture());
        let bits = config.data.cost_by_level(&parts, log_det.into(), &counts);
        Ok(bits.into_iter().rev().map(|bits| bits as f32).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{now, tiny};
    use super::*;
    use crate::protocol::{Drawing, without_alpha};
    use shared::Temperature;
    use shared::logit::bits_per_dim;

    #[test]
    fn scales_add_up_to_the_whole_and_a_picture_is_what_is_shown() {
        let engine = tiny();
        let drawing = Drawing::independent(Temperature::uniform(0.8));
        let sample = Source::Sample { seed: 7, index: 3, drawing };
        let bits = now(engine.bits(&sample)).unwrap();
        let picture = now(engine.pictures(now(engine.latents(&sample)).unwrap())).unwrap().remove(0);
        let rgb = without_alpha(&picture.rgba);
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

    #[test]
    fn scales_of_a_field_add_up_in_nats() {
        let engine = super::super::tests::phi4();
        let drawing = Drawing::independent(Temperature::uniform(1.0));
        let drawn = now(engine.samples(7, &[3], &drawing)).unwrap().remove(0);
        let nats = now(engine.bits(&Source::Sample { seed: 7, index: 3, drawing })).unwrap();
        let sum: f32 = nats.iter().zip([16.0, 48.0, 192.0]).map(|(nats, count)| nats * count / 256.0).sum();
        assert!((sum - drawn.bits).abs() < 1e-3, "{nats:?} {}", drawn.bits);
        // Another field, given as grey levels.
        let grey = Source::Own { rgb: vec![128; 768].into() };
        assert_ne!(now(engine.bits(&grey)).unwrap(), nats);
    }
}
