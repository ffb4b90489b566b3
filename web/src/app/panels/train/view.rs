//! The train panel's elements.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use web_sys::{Document, HtmlButtonElement, HtmlCanvasElement, HtmlElement};

use super::setup::SetupView;
use super::state::{Doing, Train, TrainEvent, Worker, word};
use super::{curve, words};
use crate::app::dispatch::Dispatch;
use crate::app::event::Event;
use crate::app::gather::Gatherer;
use crate::app::panel::Panel;
use crate::app::panels::{PanelView, Seen, Site};
use crate::app::widgets::canvas::Picture;
use crate::app::widgets::chart::Chart;
use crate::app::widgets::dialog::Dialog;
use crate::app::widgets::dom::{
    by_id, create, fresh_seed, on_able_click, on_click, root, set_able, set_columns, set_text,
};
use crate::app::widgets::list::List;
use crate::app::widgets::slider::{Scale, Slider};
use crate::error::Result;
use crate::protocol::{CurvePoint, Image, LEARNING_RATES};

/// Samples, and pictures that are learned from, in a row.
const COLUMNS: [usize; 2] = [4, 8];
/// How many there are of each.
const COUNT: usize = 16;

/// The elements.
pub struct TrainView(Rc<Parts>);

struct Parts {
    root: HtmlElement,
    gatherer: Rc<Gatherer>,
    sheet: Sheet,
    /// What is learned from.
    examples: HtmlElement,
    some: Sheet,
    caption: HtmlElement,
    go: HtmlButtonElement,
    /// What the button means.
    does: RefCell<Option<TrainEvent>>,
    take: HtmlButtonElement,
    save: HtmlButtonElement,
    over: HtmlButtonElement,
    ask: Dialog,
    asked: HtmlElement,
    /// Whether starting over throws away what is worth a question.
    careful: Cell<bool>,
    status: HtmlElement,
    used: HtmlElement,
    doors: HtmlElement,
    setup: HtmlElement,
    choices: SetupView,
    run: HtmlElement,
    chart: Chart,
    charted: RefCell<Vec<CurvePoint>>,
    facts: List<&'static str, HtmlElement>,
    document: Document,
    rate: Slider,
}

/// Pictures beside and above each other.
struct Sheet {
    element: HtmlElement,
    pictures: Vec<Picture>,
}

impl Sheet {
    fn by_id(document: &Document, id: &str, columns: usize) -> Result<Self> {
        let element: HtmlElement = by_id(document, id)?;
        set_columns(&element, columns)?;
        let pictures = (0..COUNT).map(|_| Picture::create(document)).collect::<Result<Vec<_>>>()?;
        for picture in &pictures {
            element.append_child(picture.canvas())?;
        }
        Ok(Self { element, pictures })
    }

    fn show(&self, images: &[Rc<Image>]) {
        for (i, picture) in self.pictures.iter().enumerate() {
            match images.get(i) {
                Some(image) => picture.show(Some(image)),
                None => picture.wipe(),
            }
        }
    }
}

impl PanelView for TrainView {
    type State = Train;

    fn new(site: &Site<'_, TrainEvent>) -> Result<Self> {
        let document = site.document;
        // Powers of ten.
        let (lowest, highest) = LEARNING_RATES;
        let powers = Scale { min: lowest.log10() as f32, max: highest.log10() as f32, step: 0.01 };
        let view = Rc::new(Parts {
            root: root(document)?,
            gatherer: Rc::clone(site.gatherer),
            sheet: Sheet::by_id(document, "train-sheet", COLUMNS[0])?,
            examples: by_id(document, "train-examples")?,
            some: Sheet::by_id(document, "train-some", COLUMNS[1])?,
            caption: by_id(document, "train-caption")?,
            go: by_id(document, "train-go")?,
            does: RefCell::default(),
            take: by_id(document, "train-use")?,
            save: by_id(document, "train-save")?,
            over: by_id(document, "train-reset")?,
            ask: site.dialogs.by_id(document, "train-over")?,
            asked: by_id(document, "train-over-text")?,
            careful: Cell::default(),
            status: by_id(document, "train-status")?,
            used: by_id(document, "train-used")?,
            doors: by_id(document, "train-doors")?,
            setup: by_id(document, "train-setup")?,
            choices: SetupView::new(site)?,
            run: by_id(document, "train-run")?,
            chart: Chart::by_id(document, "train-chart")?,
            charted: RefCell::default(),
            facts: List::by_id(document, "train-facts")?,
            document: document.clone(),
            rate: Slider::by_id(document, "train-rate", powers)?,
        });
        view.listen(site)?;
        Ok(Self(view))
    }

    fn render(&self, seen: &Seen<'_, Train>) {
        self.0.render(seen);
    }

    fn render_hidden(&self, seen: &Seen<'_, Train>) {
        self.0.mark(seen.panel);
    }

    fn sheet(&self) -> Vec<Vec<HtmlCanvasElement>> {
        let canvases: Vec<_> = self.0.sheet.pictures.iter().map(|picture| picture.canvas().clone()).collect();
        canvases.chunks(COLUMNS[0]).map(<[_]>::to_vec).collect()
    }
}

impl Parts {
    fn listen(self: &Rc<Self>, site: &Site<'_, TrainEvent>) -> Result<()> {
        let document = site.document;
        let (d, v) = (Rc::clone(&site.own), Rc::clone(self));
        on_able_click(&self.go, move || {
            let does = v.does.borrow().clone();
            does.into_iter().for_each(|event| d(event));
        });
        for (button, event) in [(&self.take, TrainEvent::Use), (&self.save, TrainEvent::Save)] {
            let d = Rc::clone(&site.own);
            on_able_click(button, move || d(event.clone()));
        }
        let (d, v) = (Rc::clone(&site.own), Rc::clone(self));
        on_able_click(&self.over, move || {
            if v.careful.get() {
                v.ask.open();
            } else {
                v.start_over(&d);
            }
        });
        let (d, v) = (Rc::clone(&site.own), Rc::clone(self));
        on_click(document, "train-over-yes", move || {
            v.ask.close();
            v.start_over(&d);
        })?;
        let v = Rc::clone(self);
        on_click(document, "train-over-no", move || v.ask.close())?;
        for (id, panel) in [("train-to-sample", Panel::Sample), ("train-to-mix", Panel::Mix)] {
            let page = Rc::clone(&site.page);
            on_click(document, id, move || page(Event::Show(panel)))?;
        }
        let d = Rc::clone(&site.own);
        self.rate.on_input(move |power| d(TrainEvent::Rate(10f64.powf(power.into()))));
        Ok(())
    }

    /// Throws the run away, and the button for it goes: the focus goes to what starts another one.
    fn start_over(&self, dispatch: &Dispatch<TrainEvent>) {
        let _ = self.go.focus();
        dispatch(TrainEvent::Reset);
    }

    /// Tells styles and tests how it stands, and whoever reads pictures what was found in one.
    fn mark(&self, train: &Train) {
        let _ = self.root.dataset().set("train", word(train));
        if let Some((number, faces)) = &train.looked {
            self.gatherer.looked(*number, faces);
        }
    }

    fn render(&self, seen: &Seen<'_, Train>) {
        let Seen { panel: train, settings, page } = seen;
        self.mark(train);
        let run = train.run.as_ref();
        self.sheet.show(if run.is_some() { &train.samples } else { train.examples(settings) });
        let caption = words::caption(train, settings);
        let _ = self.sheet.element.set_attribute("aria-label", &caption);
        set_text(&self.caption, &caption);
        let examples = run.map_or(&[][..], |run| train.examples_of(run.own));
        self.examples.set_hidden(examples.is_empty());
        self.some.show(examples);
        let (label, able) = words::button(train, settings);
        set_text(&self.go, label);
        set_able(&self.go, able);
        self.does.replace(Some(match (&train.worker, train.doing()) {
            (Worker::Gone(_), _) => TrainEvent::Revive,
            (_, Doing::Learning) => TrainEvent::Pause,
            _ => TrainEvent::Go(fresh_seed()),
        }));
        let busy = matches!(train.doing(), Doing::Finding | Doing::Beginning | Doing::Forgetting);
        let up = train.worker == Worker::Up;
        for (button, able) in [
            (&self.take, up && !train.is_waiting()),
            (&self.save, up && !train.is_waiting()),
            (&self.over, up && !busy),
        ] {
            button.set_hidden(run.is_none());
            set_able(button, able);
        }
        self.careful.set(train.is_worth_asking());
        if let Some(run) = run {
            let spent = words::time(run.learned.millis);
            set_text(
                &self.asked,
                &format!(
                    "It has learned for {spent}. Starting over deletes it, here and in what this browser keeps. Where you use it already, it stays until you \
                 choose another model."
                ),
            );
        }
        set_text(&self.status, &words::status(train, settings));
        let entry = page.entry.filter(|entry| entry.file.is_empty());
        let in_use = entry.is_some_and(|entry| train.name().as_ref() == Some(&entry.title));
        let used = words::used(train, in_use);
        self.doors.set_hidden(used.is_empty());
        set_text(&self.used, &used);
        self.setup.set_hidden(run.is_some());
        self.run.set_hidden(run.is_none());
        if run.is_none() {
            self.choices.render(train, settings);
        }
        let rate = train.rate(settings);
        let text = format!("{rate:.4}");
        self.rate.show(rate.log10() as f32, &text);
        let _ = self.rate.input().set_attribute("aria-valuetext", &text);
        self.render_run(train);
    }

    fn render_run(&self, train: &Train) {
        let Some(run) = &train.run else { return };
        let facts = words::facts(run, &train.runs_on);
        let _ = self.facts.fit(facts.each_ref().map(|(name, _)| *name), |name| {
            let (pair, value): (HtmlElement, HtmlElement) =
                (create(&self.document, "div")?, create(&self.document, "dd")?);
            let term: HtmlElement = create(&self.document, "dt")?;
            term.set_text_content(Some(name));
            pair.append_child(&term)?;
            pair.append_child(&value)?;
            Ok((pair.into(), value))
        });
        self.facts.for_each(|name, element| {
            let value = facts.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value);
            set_text(element, value);
        });
        if *self.charted.borrow() != run.learned.curve {
            let _ = curve::draw(&self.chart, &run.learned.curve);
            self.charted.replace(run.learned.curve.clone());
        }
    }
}
