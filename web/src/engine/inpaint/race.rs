//! A hole filled by two models side by side, and the latents that each has touched.

use std::rc::Rc;

use burn::backend::Autodiff;
use burn::tensor::{Tensor, TensorData};
use shared::edit::inpaint::{Free, Inpainting, Mask, Phase, Wish};
use shared::real_nvp::RealNvpFlow;
use shared::weights::RealNvpFile;
use shared::{FlowBackend, ImageFlow};

use super::{Filling, Mender};
use crate::engine::pixels::numbers;
use crate::error::{Error, Result};
use crate::protocol::{Hole, Lane};

/// A latent counts as touched from this change on, in standard deviations of the prior: rounding is below it.
const TOUCHED: f32 = 1e-3;

/// The model to compare with.
pub struct Rival<B: FlowBackend> {
    plain: Rc<RealNvpFlow<B>>,
    trainable: Rc<RealNvpFlow<Autodiff<B>>>,
}

/// One model's filling under way.
pub struct Runner<B: FlowBackend> {
    flow: Rc<dyn ImageFlow<B>>,
    filling: Filling<B>,
    device: B::Device,
    /// Latents of the smooth fill, which both start from.
    start: Vec<f32>,
    touched: Vec<bool>,
}

impl<B: FlowBackend> Rival<B> {
    /// From an exported file that may be anything.
    ///
    /// # Errors
    /// [`Error::Model`] if it is not a Real NVP.
    pub fn from_bytes(bytes: &[u8], device: &B::Device) -> Result<Self> {
        let file = RealNvpFile::from_bytes(bytes)?;
        Ok(Self { plain: Rc::new(file.to_flow(device)?), trainable: Rc::new(file.to_flow(device)?) })
    }
}

impl<B: FlowBackend> Mender<B> {
    /// Puts this model and its rival at the start. The RG-Flow fits its coarse latents, the Real NVP all that it has;
    /// neither draws a texture.
    ///
    /// # Errors
    /// [`Error::Request`] if their pictures differ in shape, and as [`Mender::begin`].
    pub async fn runners(&self, hole: &Hole, rival: &Rival<B>) -> Result<[Runner<B>; 2]> {
        if rival.plain.image_shape() != self.engine.flow.image_shape() {
            return Err(Error::Request("the rival draws pictures of another size".to_owned()));
        }
        let (mask, logits) = self.holed(hole).await?;
        let every = Free::Places((0..self.engine.config().dims()).collect());
        let flow = Rc::new(self.engine.flow.clone());
        let own = self.runner(flow, self.trainable.clone(), &logits, &mask, Free::Coarse).await?;
        let theirs = self.runner(rival.plain.clone(), rival.trainable.clone(), &logits, &mask, every).await?;
        Ok([own, theirs])
    }

    async fn runner(
        &self,
        flow: Rc<dyn ImageFlow<B>>,
        trainable: Rc<dyn ImageFlow<Autodiff<B>>>,
        logits: &[f32],
        mask: &Mask,
        free: Free,
    ) -> Result<Runner<B>> {
        let wish = Wish { texture: 0.0, ..Wish::new(0, 0, None) };
        let device = &self.engine.device;
        let filling = Inpainting::new(trainable, logits.to_vec(), mask, free, wish, device)?;
        let mut smooth = logits.to_vec();
        mask.fill(&mut smooth);
        let start = encode(&*flow, smooth, device).await?;
        Ok(Runner { flow, filling, device: device.clone(), touched: vec![false; start.len()], start })
    }

    /// What is to be seen of a runner: its picture, and how far it has got.
    ///
    /// # Errors
    /// [`Error::Request`] if there is no picture.
    pub fn lane(&self, runner: &Runner<B>, millis: f64) -> Result<Lane> {
        let image = runner.filling.images().into_iter().next();
        let image = image.ok_or_else(|| Error::Request("nothing is being filled in".to_owned()))?;
        let (taken, of) = runner.filling.progress();
        let (reach, latents) = runner.filling.touched();
        Ok(Lane {
            image: self.engine.picture(&image, self.engine.config().size),
            touched: runner.touched.iter().filter(|&&touched| touched).count() as u32,
            reach: reach as u32,
            latents: latents as u32,
            taken,
            of,
            millis,
        })
    }
}

impl<B: FlowBackend> Runner<B> {
    /// Takes one gradient; false if there was none left to take.
    ///
    /// # Errors
    /// [`Error::Request`] if the backend fails.
    pub async fn go_on(&mut self) -> Result<bool> {
        let Some(look) = self.filling.look() else { return Ok(false) };
        self.filling.take(numbers(look).await?);
        Ok(true)
    }

    /// Whether no gradient is left to take.
    pub fn is_done(&self) -> bool {
        self.filling.phase() == Phase::Done
    }

    /// Encodes the completed picture: latents that differ from the start's have been touched.
    ///
    /// # Errors
    /// [`Error::Request`] if the backend fails.
    pub async fn count(&mut self) -> Result<()> {
        let Some(image) = self.filling.images().into_iter().next() else { return Ok(()) };
        let latents = encode(&*self.flow, image, &self.device).await?;
        for ((touched, now), start) in self.touched.iter_mut().zip(latents).zip(&self.start) {
            *touched |= (now - start).abs() > TOUCHED;
        }
        Ok(())
    }
}

/// A picture's latents, [C·L²] both.
async fn encode<B: FlowBackend>(flow: &dyn ImageFlow<B>, logits: Vec<f32>, device: &B::Device) -> Result<Vec<f32>> {
    let [channels, size] = flow.image_shape();
    let images = Tensor::from_data(TensorData::new(logits, [1, channels, size, size]), device);
    numbers(flow.forward(images).latents).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::tests::{now, tiny};
    use burn_flex::Flex;
    use shared::edit::inpaint::Mask;
    use shared::real_nvp::RealNvpConfig;
    use shared::weights::{AnyModelFile, Card, Precision};
    use shared::{Model, Temperature};

    use crate::protocol::{Drawing, Source};

    fn rival(size: usize) -> Rival<Flex> {
        let config = RealNvpConfig { size, ..RealNvpConfig::tiny() };
        let device = Default::default();
        let model = Model::<Flex>::new(&config.into(), 1, &device).unwrap();
        let bytes = AnyModelFile::from_model(&model, Card::default()).to_bytes(Precision::F16).unwrap();
        Rival::from_bytes(&bytes, &device).unwrap()
    }

    #[test]
    fn both_fill_the_hole_and_only_one_stays_within_a_cone() {
        let source = Source::Sample { seed: 7, index: 3, drawing: Drawing::independent(Temperature::uniform(0.8)) };
        let unknown: Vec<u32> = (0..4).flat_map(|row| (0..4).map(move |col| row * 16 + col)).collect();
        let hole = Hole { source, unknown: unknown.clone(), samples: 0, seed: 0 };
        let mender = Mender::new(Rc::new(tiny()));
        let mut runners = now(mender.runners(&hole, &rival(16))).unwrap();
        for runner in &mut runners {
            assert_eq!(now(async { runner.count().await.map(|()| 0) }).unwrap(), 0);
            assert_eq!(mender.lane(runner, 0.0).unwrap().touched, 0);
            while now(runner.go_on()).unwrap() {}
            now(runner.count()).unwrap();
            assert!(runner.is_done());
        }
        let lanes = runners.each_ref().map(|runner| mender.lane(runner, 2.0).unwrap());
        assert!(lanes.iter().all(|lane| lane.taken == lane.of && lane.latents == 768));
        assert_eq!(lanes[0].of, lanes[1].of);
        let mask = Mask::new(16, (0..256).map(|i| unknown.contains(&i)).collect()).unwrap();
        let cone = ImageFlow::<Flex>::reached_latents(&mender.engine.flow, &mask.pixels()).len() as u32;
        assert!((1..=cone).contains(&lanes[0].touched) && cone < 768, "{} of {cone}", lanes[0].touched);
        assert_eq!((lanes[0].reach, lanes[1].reach), (cone, 768));
        assert!(lanes[1].touched > 0);
    }

    #[test]
    fn a_rival_of_another_size_does_not_run() {
        let source = Source::Sample { seed: 7, index: 3, drawing: Drawing::independent(Temperature::uniform(0.8)) };
        let hole = Hole { source, unknown: vec![1], samples: 0, seed: 0 };
        let error = now(Mender::new(Rc::new(tiny())).runners(&hole, &rival(32))).err().unwrap().to_string();
        assert!(error.contains("another size"), "{error}");
        assert!(Rival::<Flex>::from_bytes(b"no weights", &Default::default()).is_err());
    }
}
