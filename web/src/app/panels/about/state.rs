//! What the about panel shows.

use std::convert::Infallible;
use std::rc::Rc;

use shared::RgFlowConfig;
use shared::geometry::{LatentAddress, Levels};

use crate::address::Pick;
use crate::app::effect::Effect;
use crate::app::panels::live::Live;
use crate::app::panels::pyramid::draw_level;
use crate::app::panels::{Bench, PanelState};
use crate::protocol::{Answer, Draw, Edit, Image, MixCell, RequestId, Walk};

/// Values of the moved latents.
const VALUES: [f32; 3] = [-3.0, 0.0, 3.0];
/// The dividing level of the mixture.
const CUT: u32 = 2;

/// What the panel shows.
#[derive(Clone, Debug, Default)]
pub struct About {
    growth: Live,
    values: Live,
    coarse: Live,
    fine: Live,
    mix: Live,
    /// A picture after each step, coarsest first.
    pub steps: Vec<Rc<Image>>,
    /// Its latents, coarsest level first.
    pub levels: Vec<Rc<Image>>,
    /// The picture for three values of a coarse latent.
    pub moved_coarse: Vec<Rc<Image>>,
    /// The same for a fine one.
    pub moved_fine: Vec<Rc<Image>>,
    /// Two pictures and their two mixtures: A, A over B, B over A, B.
    pub mixtures: Vec<Rc<Image>>,
}

/// The coarse and the fine latent that are moved: near the middle of the coarsest and of the finest level.
pub fn moved_latents(config: &RgFlowConfig) -> [LatentAddress; 2] {
    let at = |level: usize, place: usize| LatentAddress { level, row: place, col: place, channel: 0 };
    let top = config.level_count() - 1;
    // At a fine level the latents stand in odd rows and columns.
    [at(top, (config.size >> top) / 2 - 1), at(0, config.size / 2 - 1)]
}

impl PanelState for About {
    type Settings = ();
    type Event = Infallible;

    fn update(&mut self, event: Infallible, _: &mut (), _: &mut Bench<'_>) -> Vec<Effect> {
        match event {}
    }

    fn refresh(&mut self, _: &mut (), bench: &mut Bench<'_>) -> Vec<Effect> {
        // What is there already stays.
        if !self.steps.is_empty() || self.growth.is_busy() {
            return vec![];
        }
        let sample = |index: u32| Pick::Sample { seed: bench.seed, index };
        let (source, other) = (bench.source(&sample(0)), bench.source(&sample(1)));
        let walk = |at: LatentAddress| {
            let index = Levels::new(bench.config).index(at).unwrap_or_default() as u32;
            let walk = Some(Walk { index, values: VALUES.to_vec() });
            Edit::Change { source: source.clone(), changes: vec![], walk }
        };
        let cell = |high, low, cut| MixCell { high, low, cut };
        let cells = vec![cell(0, 0, 0), cell(0, 1, CUT), cell(1, 0, CUT), cell(1, 1, 0)];
        let [coarse, fine] = moved_latents(bench.config).map(walk);
        let mut effects = self.growth.ask(Edit::Steps { source: source.clone() }, bench.ids);
        effects.extend(self.values.ask(Edit::Latents { source: source.clone() }, bench.ids));
        effects.extend(self.coarse.ask(coarse, bench.ids));
        effects.extend(self.fine.ask(fine, bench.ids));
        effects.extend(self.mix.ask(Draw::Mix { sources: vec![source, other], cells }, bench.ids));
        effects
    }

    fn lives(&mut self) -> Vec<&mut Live> {
        vec![&mut self.growth, &mut self.values, &mut self.coarse, &mut self.fine, &mut self.mix]
    }

    fn take(&mut self, id: RequestId, answer: Answer, _: &(), config: &RgFlowConfig) {
        match answer {
            Answer::Grown(grown) => self.steps = grown.images.into_iter().map(Rc::new).collect(),
            Answer::Images(images) => {
                let places = [
                    (&self.coarse, &mut self.moved_coarse),
                    (&self.fine, &mut self.moved_fine),
                    (&self.mix, &mut self.mixtures),
                ];
                if let Some((_, place)) = places.into_iter().find(|(live, _)| live.waits_for(id)) {
                    *place = images.into_iter().map(Rc::new).collect();
                }
            }
            Answer::Latents(values) if values.len() == config.dims() => {
                let levels = (0..config.level_count()).rev();
                self.levels = levels.map(|level| Rc::new(draw_level(&values, level, config))).collect();
            }
            _ => {}
        }
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}
