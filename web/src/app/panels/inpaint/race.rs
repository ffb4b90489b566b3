//! The race's elements: both models' pictures and counters, and the chart of what a hole costs in larger pictures.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use web_sys::{Document, HtmlButtonElement, HtmlElement, HtmlProgressElement};

use super::address::InpaintSettings;
use super::growth::Growth;
use super::score::psnr;
use super::state::{Inpaint, InpaintEvent};
use crate::app::event::Event;
use crate::app::panels::{Scene, Site};
use crate::app::widgets::canvas::{Picture, is_new};
use crate::app::widgets::chart::{Anchor, Chart, log_share};
use crate::app::widgets::dom::{by_id, on, set_text};
use crate::app::widgets::numbers::grouped;
use crate::error::Result;
use crate::protocol::{Image, Lane, Standing};

/// The contestants, in the order of their lanes.
const NAMES: [&str; 2] = ["RG-Flow", "Real NVP"];
/// The chart's left, right, upper and lower border, in its own units.
const PLOT: [f64; 4] = [68.0, 372.0, 18.0, 206.0];

/// The elements.
pub struct RaceView {
    title: HtmlElement,
    /// Starts the race, stops it, or leads to a model that can run one. One button: what goes takes the focus along.
    button: HtmlButtonElement,
    does: Rc<RefCell<Does>>,
    status: HtmlElement,
    lanes: HtmlElement,
    truth: HtmlElement,
    original: Picture,
    each: [LaneView; 2],
    chart: Chart,
    charted: RefCell<Option<Rc<Vec<Growth>>>>,
    shown: RefCell<Option<Rc<Standing>>>,
    /// Whether a link to the race was followed.
    led: Cell<bool>,
}

/// What the button does.
#[derive(Clone, Debug, Default)]
enum Does {
    #[default]
    Start,
    Stop,
    /// Goes to the model of that id, and races there.
    Leave(String),
}

/// One lane.
struct LaneView {
    picture: Picture,
    bar: HtmlProgressElement,
    touched: HtmlElement,
    reach: HtmlElement,
    gradients: HtmlElement,
    time: HtmlElement,
    score: HtmlElement,
}

impl LaneView {
    fn new(document: &Document, lane: usize) -> Result<Self> {
        let id = |what: &str| format!("race-{what}-{lane}");
        Ok(Self {
            picture: Picture::by_id(document, &id("picture"))?,
            bar: by_id(document, &id("bar"))?,
            touched: by_id(document, &id("touched"))?,
            reach: by_id(document, &id("reach"))?,
            gradients: by_id(document, &id("gradients"))?,
            time: by_id(document, &id("time"))?,
            score: by_id(document, &id("score"))?,
        })
    }

    fn render(&self, lane: &Lane, score: Option<f64>) {
        self.picture.show(Some(&Rc::new(lane.image.clone())));
        self.bar.set_max(f64::from(lane.latents.max(1)));
        self.bar.set_value(f64::from(lane.touched));
        set_text(&self.touched, &share(lane.touched, lane.latents));
        set_text(&self.reach, &share(lane.reach, lane.latents));
        set_text(&self.gradients, &format!("{} of {}", lane.taken, lane.of));
        set_text(&self.time, &format!("{:.1} s", lane.millis / 1000.0));
        set_text(&self.score, &score.map_or_else(|| "at the end".to_owned(), |score| format!("{score:.1} dB")));
    }
}

impl RaceView {
    pub fn new(site: &Site<'_, InpaintEvent>) -> Result<Self> {
        let document = site.document;
        let view = Self {
            title: by_id(document, "race-title")?,
            button: by_id(document, "race-start")?,
            does: Rc::default(),
            status: by_id(document, "race-status")?,
            lanes: by_id(document, "race-lanes")?,
            truth: by_id(document, "race-truth")?,
            original: Picture::by_id(document, "race-original")?,
            each: [LaneView::new(document, 0)?, LaneView::new(document, 1)?],
            chart: Chart::by_id(document, "race-chart")?,
            charted: RefCell::default(),
            shown: RefCell::default(),
            led: Cell::default(),
        };
        let (d, page, does) = (Rc::clone(&site.own), Rc::clone(&site.page), Rc::clone(&view.does));
        let status = view.status.clone();
        on(&view.button, "click", move |_| {
            let does = does.borrow().clone();
            match does {
                Does::Start => d(InpaintEvent::Race),
                Does::Stop => d(InpaintEvent::StopRace),
                Does::Leave(id) => {
                    // Nothing else here moves until it is loaded.
                    set_text(&status, "Loading that model…");
                    d(InpaintEvent::RaceElsewhere);
                    page(Event::Model(id));
                }
            }
        });
        Ok(view)
    }

    pub fn render(&self, inpaint: &Inpaint, settings: &InpaintSettings, unknown: &[(usize, usize)], page: &Scene<'_>) {
        let able = page.entry.is_some_and(|entry| entry.rival.is_some());
        let racing = inpaint.is_racing();
        let (does, label) = match page.racer.filter(|_| !able) {
            _ if racing => (Does::Stop, "Stop the race".to_owned()),
            Some(entry) => (Does::Leave(entry.id.clone()), format!("Race on “{}”", entry.title)),
            None if inpaint.standing.is_some() => (Does::Start, "Race again".to_owned()),
            None => (Does::Start, "Start the race".to_owned()),
        };
        self.does.replace(does);
        set_text(&self.button, &label);
        self.button.set_hidden(!able && page.racer.is_none());
        self.button.set_disabled(!settings.mask.is_mendable());
        let standing = inpaint.standing.as_ref();
        let scores = scores(inpaint, unknown);
        let mendable = settings.mask.is_mendable();
        set_text(&self.status, &said(able, mendable, racing, standing.map(Rc::as_ref), scores));
        if inpaint.led_to_race && !self.led.replace(true) {
            self.title.scroll_into_view();
        }
        let lanes = standing.map_or(&[][..], |standing| &standing.lanes);
        self.lanes.set_hidden(lanes.is_empty());
        self.truth.set_hidden(scores.is_none());
        if scores.is_some() {
            self.original.show(inpaint.original.as_ref());
        }
        if is_new(self.shown.borrow().as_ref(), standing) || !racing {
            for (i, (view, lane)) in self.each.iter().zip(lanes).enumerate() {
                view.render(lane, scores.map(|scores| scores[i]));
            }
            self.shown.replace(standing.cloned());
        }
        if is_new(self.charted.borrow().as_ref(), inpaint.growth()) {
            let _ = self.draw(inpaint.growth().map_or(&[], |grown| grown.as_slice()));
            self.charted.replace(inpaint.growth().cloned());
        }
    }

    /// Latents against the picture's edge, both logarithmic.
    fn draw(&self, grown: &[Growth]) -> Result<()> {
        let grown: Vec<_> = grown.iter().filter(|g| g.cone > 0).collect();
        self.chart.begin(&in_words(&grown));
        let (Some(first), Some(last)) = (grown.first(), grown.last()) else { return Ok(()) };
        let [left, right, top, bottom] = PLOT;
        let least = 10f64.powf((grown.iter().map(|g| g.cone).min().unwrap_or(1) as f64).log10().floor());
        let most = last.all as f64;
        let x = |g: &Growth| left + (right - left) * log_share(g.size as f64, first.size as f64, last.size as f64);
        let y = |count: f64| bottom - (bottom - top) * log_share(count, least, most);
        let mut tick = least;
        while tick <= most {
            self.chart.line(&[(left, y(tick)), (right, y(tick))], "grid-line")?;
            self.chart.text((left - 8.0, y(tick) + 4.0), &grouped(tick as usize), Anchor::End, "")?;
            tick *= 10.0;
        }
        for g in &grown {
            self.chart.text((x(g), bottom + 18.0), &g.size.to_string(), Anchor::Middle, "")?;
        }
        self.chart.text(((left + right) / 2.0, bottom + 36.0), "Edge L of the picture", Anchor::Middle, "")?;
        self.chart.text((left - 8.0, top - 6.0), "Latents", Anchor::End, "strong")?;
        let of: [fn(&Growth) -> usize; 2] = [|g| g.cone, |g| g.all];
        for (lane, count) in of.into_iter().enumerate() {
            let points: Vec<_> = grown.iter().map(|&g| (x(g), y(count(g) as f64))).collect();
            self.chart.line(&points, &format!("curve-{lane}"))?;
            for &point in &points {
                self.chart.dot(point, 4.0, &format!("dot-{lane}"))?;
            }
            if let Some(&(x, y)) = points.last() {
                self.chart.text((x + 10.0, y - 2.0), NAMES[lane], Anchor::Start, "strong")?;
                self.chart.text((x + 10.0, y + 14.0), &grouped(count(last)), Anchor::Start, "")?;
            }
        }
        Ok(())
    }
}

/// How many of the latents, and what share of all.
fn share(count: u32, all: u32) -> String {
    let percent = 100.0 * f64::from(count) / f64::from(all.max(1));
    format!("{} of {}, {percent:.0} %", grouped(count as usize), grouped(all as usize))
}

/// Both models' PSNR, once the race is over.
fn scores(inpaint: &Inpaint, unknown: &[(usize, usize)]) -> Option<[f64; 2]> {
    let (standing, truth) = (inpaint.standing.as_ref()?, inpaint.original.as_ref()?);
    let score = |image: &Image| psnr(truth, image, unknown);
    match &standing.lanes[..] {
        [ours, theirs] if !inpaint.is_racing() => Some([score(&ours.image)?, score(&theirs.image)?]),
        _ => None,
    }
}

/// How the race stands, in a sentence.
fn said(able: bool, mendable: bool, racing: bool, standing: Option<&Standing>, scores: Option<[f64; 2]>) -> String {
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    match (racing, standing, scores) {
        (true, Some(Standing { loaded, total, lanes }), _) if lanes.is_empty() => {
            format!("Fetching the Real NVP: {:.1} of {:.1} MB.", megabytes(*loaded), megabytes(*total))
        }
        (true, Some(_), _) => "Whoever has used less time goes next.".to_owned(),
        (true, None, _) => "The race begins when the completions above are there.".to_owned(),
        (false, _, Some([ours, theirs])) => {
            let (ahead, by) = if ours >= theirs { (NAMES[0], ours - theirs) } else { (NAMES[1], theirs - ours) };
            format!("In this hole {ahead} is nearer to the truth, by {by:.1} dB.")
        }
        (false, ..) if !mendable => "The race needs a hole, and something left around it.".to_owned(),
        (false, ..) if able => "The Real NVP is fetched when you start: 3.8 MB.".to_owned(),
        (false, ..) => {
            "This model has no Real NVP. Your hole goes along; the picture does if it is your own.".to_owned()
        }
    }
}

/// The chart for a screen reader.
fn in_words(grown: &[&Growth]) -> String {
    let of = |g: &&Growth| format!("{} of {} at L = {}", grouped(g.cone), grouped(g.all), g.size);
    let counts: Vec<_> = grown.iter().map(of).collect();
    format!("Latents that the hole touches: {}", counts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_race_is_put_in_words() {
        let lane = || Lane {
            image: Image { size: 1, rgba: vec![0; 4].into() },
            touched: 1,
            reach: 2,
            latents: 3,
            taken: 1,
            of: 2,
            millis: 9.0,
        };
        let standing = |lanes| Standing { loaded: 1_500_000, total: 3_843_316, lanes };
        assert!(said(true, true, true, Some(&standing(vec![])), None).contains("1.5 of 3.8 MB"));
        let running = standing(vec![lane(), lane()]);
        assert!(said(true, true, true, Some(&running), None).contains("goes next"));
        assert!(
            said(true, true, false, Some(&running), Some([20.0, 22.5]))
                .contains("Real NVP is nearer to the truth, by 2.5 dB")
        );
        assert!(said(false, true, false, None, None).contains("no Real NVP"));
        assert!(said(true, false, false, None, None).contains("needs a hole"));
        assert_eq!(share(2_496, 3_072), "2,496 of 3,072, 81 %");
        let grown = Growth { size: 32, cone: 1776, all: 3072 };
        assert!(in_words(&[&grown]).ends_with("1,776 of 3,072 at L = 32"));
    }
}
