//! What the sample panel shows. Its pictures are also those that other panels choose from.

use std::rc::Rc;

use shared::{RgFlowConfig, Temperature};

use crate::address::Pick;
use crate::app::effect::{Effect, Ids};
use crate::app::panels::live::Live;
use crate::app::panels::{Bench, PanelState};
use crate::protocol::{Answer, Draw, Edit, Image, Picture, RequestId};

/// Pictures in the grid.
pub const GRID: usize = 16;

/// What a place shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The request that it answers.
    pub request: RequestId,
    /// The seed that it was drawn from.
    pub seed: u64,
    /// The temperature that it was drawn with.
    pub temperature: Temperature,
    /// The picture.
    pub image: Rc<Image>,
    /// How unlikely it is, in bits per dimension.
    pub bits: f32,
}

impl Shown {
    /// The picture in this place of the grid, to work on.
    pub fn pick(&self, place: usize) -> Pick {
        Pick::Drawn { seed: self.seed, index: place as u32, temperature: self.temperature.clone() }
    }
}

/// What happened in the panel.
#[derive(Clone, Debug, PartialEq)]
pub enum SampleEvent {
    /// The picture in a place is shown large.
    Enlarged(usize),
}

/// The grid.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// What each place shows.
    pub shown: [Option<Shown>; GRID],
    /// The last request for pictures, 0 for none.
    pub request: RequestId,
    /// What it asked for.
    wanted: Option<(u64, Temperature)>,
    running: bool,
    growth: Live,
    /// The pictures from which the one shown large grows, coarsest first.
    pub steps: Vec<Rc<Image>>,
    /// Time for each picture of that request, summed, and their number.
    times: (f64, u32),
}

impl Sample {
    /// Mean time for a picture, in milliseconds.
    pub fn millis(&self) -> Option<f64> {
        (self.times.1 > 0).then(|| self.times.0 / f64::from(self.times.1))
    }

    /// Mean bits per dimension of the pictures, once there are some.
    pub fn bits(&self) -> Option<f32> {
        let all = self.shown.iter().flatten();
        let count = all.clone().count();
        (count > 0).then(|| all.map(|shown| shown.bits).sum::<f32>() / count as f32)
    }

    /// Whether the place shows something other than what is set.
    pub fn is_stale(&self, place: usize) -> bool {
        !matches!(self.shown.get(place), Some(Some(shown)) if shown.request == self.request)
    }

    /// Whether pictures are on their way.
    pub fn is_running(&self) -> bool {
        self.running
    }

    /// Asks for these pictures, unless they are here or on their way.
    fn ask(&mut self, seed: u64, temperature: Temperature, ids: &mut Ids) -> Vec<Effect> {
        let wanted = Some((seed, temperature.clone()));
        if self.wanted == wanted {
            return vec![];
        }
        self.wanted = wanted;
        let mut effects = self.cancel();
        // What was shown longest comes first: while a slider moves, every place gets its turn.
        let mut indices: Vec<u32> = (0..GRID as u32).collect();
        indices.sort_by_key(|&i| self.shown[i as usize].as_ref().map_or(0, |shown| shown.request));
        self.request = ids.fresh();
        self.times = (0.0, 0);
        self.running = true;
        effects.push(Effect::serve(self.request, Draw::Samples { seed, indices, temperature }));
        effects
    }

    /// Asks how the picture in a place grows.
    fn ask_growth(&mut self, place: usize, bench: &mut Bench<'_>) -> Vec<Effect> {
        self.steps.clear();
        let Some(Some(shown)) = self.shown.get(place) else { return vec![] };
        let source = bench.source(&shown.pick(place));
        self.growth.ask(Edit::Steps { source }, bench.ids)
    }

    fn cancel(&mut self) -> Vec<Effect> {
        if std::mem::take(&mut self.running) { vec![Effect::cancel(self.request)] } else { vec![] }
    }

    /// Forgets what was asked for, though the pictures stay.
    pub fn forget(&mut self) {
        (self.wanted, self.running) = (None, false);
    }

    /// A picture of the last request arrived.
    pub fn arrived(&mut self, picture: Picture) {
        let Some((seed, temperature)) = self.wanted.clone() else { return };
        self.times = (self.times.0 + picture.millis, self.times.1 + 1);
        if let Some(place) = self.shown.get_mut(picture.index as usize) {
            let image = Rc::new(Image { size: picture.size, rgba: picture.rgba });
            *place = Some(Shown { request: self.request, seed, temperature, image, bits: picture.bits });
        }
    }

    /// The last request is over.
    pub fn done(&mut self) {
        self.running = false;
    }
}

impl PanelState for Sample {
    // The seed and the temperature are set for all panels.
    type Settings = ();
    type Event = SampleEvent;

    fn update(&mut self, event: SampleEvent, _: &mut (), bench: &mut Bench<'_>) -> Vec<Effect> {
        match event {
            SampleEvent::Enlarged(place) => self.ask_growth(place, bench),
        }
    }

    fn refresh(&mut self, _: &mut (), bench: &mut Bench<'_>) -> Vec<Effect> {
        self.ask(bench.seed, bench.temperature.clone(), bench.ids)
    }

    fn stop(&mut self) -> Vec<Effect> {
        let mut effects = self.cancel();
        if !effects.is_empty() {
            // Pictures that did not come are asked for again.
            self.forget();
        }
        effects.extend(self.growth.stop());
        effects
    }

    fn lives(&mut self) -> Vec<&mut Live> {
        vec![&mut self.growth]
    }

    fn take(&mut self, _: RequestId, answer: Answer, _: &(), _: &RgFlowConfig) {
        if let Answer::Images(images) = answer {
            self.steps = images.into_iter().map(Rc::new).collect();
        }
    }

    fn clear(&mut self) {
        self.growth.forget();
        self.steps.clear();
    }
}
