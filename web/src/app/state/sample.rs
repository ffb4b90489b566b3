//! The grid of samples.

use std::rc::Rc;

use shared::Temperature;

use super::Effect;
use super::live::{Ids, Live};
use super::panel::{Bench, Context, PanelState};
use crate::fragment::Pick;
use crate::messages::edit::{EditAnswer, EditKind, Image};
use crate::messages::{Picture, Request, RequestId, RequestKind};

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
    /// How unlikely it is, in bits a number.
    pub bits: f32,
}

impl Shown {
    /// The picture in this place of the grid, to work on.
    pub fn pick(&self, place: usize) -> Pick {
        Pick::Drawn { seed: self.seed, index: place as u32, temperature: self.temperature.clone() }
    }
}

/// The grid.
#[derive(Clone, Debug, Default)]
pub struct Samples {
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

impl Samples {
    /// Milliseconds that a picture took on the average.
    pub fn millis(&self) -> Option<f64> {
        (self.times.1 > 0).then(|| self.times.0 / f64::from(self.times.1))
    }

    /// Bits a number of the pictures, on the average, once there are some.
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
    pub fn ask(&mut self, seed: u64, temperature: Temperature, ids: &mut Ids) -> Vec<Effect> {
        let wanted = Some((seed, temperature.clone()));
        if self.wanted == wanted {
            return vec![];
        }
        self.wanted = wanted;
        let mut effects = self.cancel(ids);
        // What was shown longest comes first: while a slider moves, every place gets its turn.
        let mut indices: Vec<u32> = (0..GRID as u32).collect();
        indices.sort_by_key(|&i| self.shown[i as usize].as_ref().map_or(0, |shown| shown.request));
        self.request = ids.fresh();
        self.times = (0.0, 0);
        self.running = true;
        let kind = RequestKind::Sample { seed, indices, temperature };
        effects.push(Effect::Send(Request { id: self.request, kind }));
        effects
    }

    /// Asks how the picture in a place grows.
    pub fn ask_growth(&mut self, place: usize, bench: &mut Bench<'_>) -> Vec<Effect> {
        self.steps.clear();
        let Some(Some(shown)) = self.shown.get(place) else { return vec![] };
        let source = bench.source(&shown.pick(place));
        self.growth.ask(EditKind::Steps { source }, bench.ids)
    }

    /// Stops what is on its way.
    pub fn cancel(&mut self, ids: &mut Ids) -> Vec<Effect> {
        if !std::mem::take(&mut self.running) {
            return vec![];
        }
        vec![Effect::Send(Request { id: ids.fresh(), kind: RequestKind::Cancel { request: self.request } })]
    }

    /// Nothing of it is to be used any more, though it stays in sight.
    pub fn forget(&mut self) {
        (self.wanted, self.running) = (None, false);
    }

    /// A picture of the last request.
    pub fn take(&mut self, picture: Picture) {
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

impl PanelState for Samples {
    fn lives(&mut self) -> Vec<&mut Live> {
        vec![&mut self.growth]
    }

    fn take(&mut self, _: RequestId, answer: EditAnswer, _: &Context<'_>) {
        if let EditAnswer::Images(images) = answer {
            self.steps = images.into_iter().map(Rc::new).collect();
        }
    }

    fn clear(&mut self) {
        self.growth.forget();
        self.steps.clear();
    }
}
