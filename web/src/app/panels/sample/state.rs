//! What the sample panel shows. Its pictures are also those that other panels choose from.

use std::rc::Rc;

use shared::RgFlowConfig;

use super::address::SampleSettings;
use crate::address::Pick;
use crate::app::effect::{Effect, Ids};
use crate::app::panel::Panel;
use crate::app::panels::live::Live;
use crate::app::panels::{Bench, PanelState};
use crate::app::slot::Slot;
use crate::protocol::{Answer, Draw, Drawing, Edit, Image, Picture, RequestId};

/// Pictures in the grid.
pub const GRID: usize = 16;

/// What a place shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The request that it answers.
    pub request: RequestId,
    /// The seed that it was drawn from.
    pub seed: u64,
    /// How it was drawn.
    pub drawing: Drawing,
    /// The picture.
    pub image: Rc<Image>,
    /// How unlikely it is, in bits per dimension; a field, in nats for each site.
    pub bits: f32,
}

impl Shown {
    /// The picture in this place of the grid, to work on.
    pub fn pick(&self, place: usize) -> Pick {
        Pick::Drawn { seed: self.seed, index: place as u32, drawing: self.drawing.clone() }
    }
}

/// What happened in the panel.
#[derive(Clone, Debug, PartialEq)]
pub enum SampleEvent {
    /// The picture in a place is put under the microscope.
    Choose(usize),
    /// Another picture is, of this seed.
    Another(u64),
    /// The levels below one are drawn anew, from a seed.
    Reroll(usize, u64),
    /// The microscope shows so many steps.
    Depth(usize),
    /// The picture grows once more, from so many steps on.
    Play(usize),
    /// It has grown by a step.
    Grown,
}

/// The samples, and one of them large.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// What each place shows.
    pub shown: [Option<Shown>; GRID],
    /// The last request for pictures, 0 for none.
    pub request: RequestId,
    /// What it asked for.
    wanted: Option<(u64, Drawing)>,
    /// The request for one of them alone, and its number.
    first: Option<(RequestId, u32)>,
    running: bool,
    growth: Live,
    /// The picture under the microscope that was asked for, as it stays whatever is set.
    main: Option<Pick>,
    /// The pictures from which it grows, coarsest first.
    steps: Vec<Rc<Image>>,
    /// Of a field, the mean after each step.
    means: Vec<f32>,
    /// The picture that these are of.
    grown: Option<Pick>,
    /// Bits for each new number of each scale, coarsest first, and the picture that they are of.
    weighed: Option<(Pick, Vec<f32>)>,
    /// How many steps are shown while it grows.
    pub playing: Option<usize>,
    /// Whether it does so after a re-roll: all that is new comes in one step.
    pub rerolled: bool,
    /// Time for each picture of that request, summed, and their number.
    times: (f64, u32),
}

impl Sample {
    /// Mean time for a picture, in milliseconds.
    pub fn millis(&self) -> Option<f64> {
        (self.times.1 > 0).then(|| self.times.0 / f64::from(self.times.1))
    }

    /// Mean bits per dimension, or nats a site, of the pictures, once there are some.
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
    fn ask(&mut self, seed: u64, drawing: Drawing, ids: &mut Ids) -> Vec<Effect> {
        let wanted = Some((seed, drawing.clone()));
        if self.wanted == wanted {
            return vec![];
        }
        // Only what was asked for just now is on its way alone.
        self.first.take_if(|_| self.wanted.is_some());
        self.wanted = wanted;
        let mut effects = self.cancel();
        // What was shown longest comes first: while a slider moves, every place gets its turn.
        let mut indices: Vec<u32> = (0..GRID as u32).collect();
        indices.sort_by_key(|&i| self.shown[i as usize].as_ref().map_or(0, |shown| shown.request));
        indices.retain(|&i| self.first.is_none_or(|(_, first)| first != i));
        self.request = ids.fresh();
        self.times = (0.0, 0);
        self.running = true;
        effects.push(Effect::serve(self.request, Draw::Samples { seed, indices, drawing }));
        effects
    }

    /// Asks for one picture alone where there are none yet: it is there before the steps of the one under the microscope, each
    /// of which is a picture, too.
    fn ask_first(&mut self, settings: &SampleSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        if self.wanted.is_some() || self.shown.iter().any(Option::is_some) {
            return vec![];
        }
        let index = match settings.main(bench.seed) {
            Pick::Sample { seed, index } if seed == bench.seed && (index as usize) < GRID => index,
            _ => 0,
        };
        let id = bench.ids.fresh();
        self.first = Some((id, index));
        let drawing = bench.drawing.clone();
        vec![Effect::serve(id, Draw::Samples { seed: bench.seed, indices: vec![index], drawing })]
    }

    /// Whether a request's pictures are of interest.
    pub fn awaits(&self, id: RequestId) -> bool {
        id == self.request || self.first.is_some_and(|(first, _)| first == id)
    }

    /// Asks how the picture under the microscope grows, and then how unlikely it is, unless that is here or on its way.
    fn ask_growth(&mut self, settings: &SampleSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        let main = settings.main(bench.seed).held_at(&bench.drawing);
        let is_main = self.main.as_ref() == Some(&main);
        let (grown, weighed) = (self.growth().is_some(), self.scale_bits().is_some());
        if is_main && (self.growth.is_busy() || grown && weighed) {
            return vec![];
        }
        let source = bench.source(&main);
        // Its answer must not be taken for this one's.
        let mut effects = self.growth.stop();
        self.main = Some(main);
        if !(is_main && grown) {
            effects.extend(self.growth.ask(Edit::Steps { source: source.clone() }, bench.ids));
        }
        // This waits for the steps, and goes with them when another picture is wanted.
        effects.extend(self.growth.ask(Edit::Bits { source }, bench.ids));
        effects
    }

    /// Bits for each new number of each scale of the picture under the microscope, coarsest first, once they are here.
    pub fn scale_bits(&self) -> Option<&[f32]> {
        let (of, bits) = self.weighed.as_ref()?;
        (Some(of) == self.main.as_ref()).then_some(bits)
    }

    /// The picture under the microscope and the steps from which it grows, coarsest first, once they are here.
    pub fn growth(&self) -> Option<(&Pick, &[Rc<Image>])> {
        let grown = self.grown.as_ref().filter(|grown| Some(*grown) == self.main.as_ref());
        grown.map(|grown| (grown, self.steps.as_slice()))
    }

    /// The steps that were shown last; of another picture while the wanted one is on its way.
    pub fn steps(&self) -> &[Rc<Image>] {
        &self.steps
    }

    /// The mean of the field under the microscope after a step, once it is here; no picture has one.
    pub fn mean(&self, step: usize) -> Option<f32> {
        self.growth().and_then(|_| self.means.get(step).copied())
    }

    /// The place of the picture under the microscope, if it is among the others.
    pub fn main_place(&self) -> Option<usize> {
        let is_main = |(place, shown): (usize, &Option<Shown>)| {
            shown.as_ref().is_some_and(|shown| Some(&shown.pick(place)) == self.main.as_ref())
        };
        (0..GRID).find(|&place| is_main((place, &self.shown[place])))
    }

    fn cancel(&mut self) -> Vec<Effect> {
        if std::mem::take(&mut self.running) { vec![Effect::cancel(self.request)] } else { vec![] }
    }

    /// Forgets what was asked for, though the pictures stay.
    pub fn forget(&mut self) {
        (self.wanted, self.first, self.running) = (None, None, false);
    }

    /// A picture of the last request arrived.
    pub fn arrived(&mut self, picture: Picture) {
        let Some((seed, drawing)) = self.wanted.clone() else { return };
        self.times = (self.times.0 + picture.millis, self.times.1 + 1);
        if let Some(place) = self.shown.get_mut(picture.index as usize) {
            let image = Rc::new(Image { size: picture.size, rgba: picture.rgba });
            *place = Some(Shown { request: self.request, seed, drawing, image, bits: picture.bits });
        }
    }

    /// The last request is over.
    pub fn done(&mut self) {
        self.running = false;
    }
}

impl PanelState for Sample {
    type Settings = SampleSettings;
    type Event = SampleEvent;
    const SLOTS: &'static [Slot] = &[Slot {
        panel: Panel::Sample,
        place: 0,
        name: "main",
        label: "Sample, under the microscope",
        title: "Choose a picture to look at",
        hint: "Drop it here to see it scale by scale",
        mark: "scope",
    }];

    fn update(&mut self, event: SampleEvent, settings: &mut SampleSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        let levels = bench.config.level_count();
        match event {
            SampleEvent::Choose(place) => {
                if let Some(Some(shown)) = self.shown.get(place) {
                    settings.choose(shown.pick(place));
                    (settings.depth, self.playing) = (None, None);
                }
            }
            SampleEvent::Another(seed) => {
                settings.choose(Pick::Sample { seed, index: 0 }.held_at(&bench.drawing));
                (settings.depth, self.playing) = (None, None);
            }
            SampleEvent::Reroll(below, seed) if (1..levels).contains(&below) => {
                let main = settings.main(bench.seed).held_at(&bench.drawing);
                settings.choose(main.rerolled(below as u32, seed, &bench.drawing));
                // What stays is seen to stay, and the rest to come.
                (settings.depth, self.playing, self.rerolled) = (None, Some(levels - below), true);
            }
            SampleEvent::Reroll(..) => {}
            SampleEvent::Depth(depth) => {
                settings.depth = (1..levels).contains(&depth).then_some(depth);
                self.playing = None;
            }
            SampleEvent::Play(from) => {
                (settings.depth, self.playing, self.rerolled) = (None, Some(from.clamp(1, levels)), false);
            }
            SampleEvent::Grown => {
                let next = |depth| if self.rerolled { levels } else { depth + 1 };
                self.playing = self.playing.map(next).filter(|&depth| depth < levels);
            }
        }
        self.ask_growth(settings, bench)
    }

    fn refresh(&mut self, settings: &mut SampleSettings, bench: &mut Bench<'_>) -> Vec<Effect> {
        let mut effects = self.ask_first(settings, bench);
        // One picture large is sooner there than sixteen small ones.
        effects.extend(self.ask_growth(settings, bench));
        effects.extend(self.ask(bench.seed, bench.drawing.clone(), bench.ids));
        effects
    }

    fn stop(&mut self) -> Vec<Effect> {
        let mut effects = self.cancel();
        if !effects.is_empty() {
            // Pictures that did not come are asked for again.
            self.forget();
        }
        self.playing = None;
        effects.extend(self.growth.stop());
        effects
    }

    fn lives(&mut self) -> Vec<&mut Live> {
        vec![&mut self.growth]
    }

    fn take(&mut self, _: RequestId, answer: Answer, _: &SampleSettings, _: &RgFlowConfig) {
        match answer {
            Answer::Grown(grown) => {
                self.steps = grown.images.into_iter().map(Rc::new).collect();
                self.means = grown.means;
                self.grown = self.main.clone();
            }
            Answer::Bits(bits) => self.weighed = self.main.clone().map(|main| (main, bits)),
            _ => {}
        }
    }

    fn clear(&mut self) {
        self.growth.forget();
        self.steps.clear();
        self.means.clear();
        (self.main, self.grown, self.playing, self.weighed) = Default::default();
    }

    fn exchanged(&mut self, settings: &mut SampleSettings) {
        settings.put();
    }
}
