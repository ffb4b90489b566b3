//! The about panel's pictures.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

use shared::RgFlowConfig;
use shared::geometry::{LatentAddress, generation_cone, inference_cone};
use wasm_bindgen::JsCast;
use web_sys::{Document, HtmlCanvasElement, HtmlElement};

use super::state::{About, moved_latents};
use crate::app::event::Event;
use crate::app::panel::Panel;
use crate::app::panels::{PanelView, Seen, Site};
use crate::app::widgets::board::Layer;
use crate::app::widgets::canvas::Picture;
use crate::app::widgets::dom::{on, set_columns};
use crate::app::widgets::list::List;
use crate::error::Result;
use crate::protocol::Image;

/// What is reached.
const REACHED: &str = "#ffb02e";
/// Pictures in a row, where their number does not follow from the model.
const COUNT: usize = 4;

/// What stands in a row. All have their room before they are there.
enum Shot {
    Picture(Picture),
    /// What a latent reaches.
    Reach(Layer),
}

/// A row of pictures.
struct Row {
    document: Document,
    shots: List<(usize, bool), Shot>,
}

impl Row {
    /// In the element of that id: so many pictures, and at the end, if wanted, what a latent reaches.
    fn by_id(document: &Document, id: &str, count: usize, reach: bool) -> Result<Self> {
        let row = Self { document: document.clone(), shots: List::by_id(document, id)? };
        row.fit(count, reach)?;
        Ok(row)
    }

    fn fit(&self, count: usize, reach: bool) -> Result<()> {
        set_columns(self.shots.parent(), count + usize::from(reach))?;
        let keys = (0..count).map(|i| (i, false)).chain(reach.then_some((count, true)));
        self.shots.fit(keys, |&(_, reach)| {
            if reach {
                let layer = Layer::create(&self.document)?;
                return Ok((layer.canvas().clone().into(), Shot::Reach(layer)));
            }
            let picture = Picture::create(&self.document)?;
            Ok((picture.canvas().clone().into(), Shot::Picture(picture)))
        })?;
        Ok(())
    }

    fn show(&self, images: &[Rc<Image>]) {
        self.shots.for_each(|&(i, _), shot| {
            if let Shot::Picture(picture) = shot {
                picture.show(images.get(i));
            }
        });
    }

    /// Draws places of a picture of this edge, where the row has room for what is reached.
    fn mark(&self, edge: usize, places: &[(usize, usize)]) {
        self.shots.for_each(|_, shot| {
            if let Shot::Reach(layer) = shot
                && let Some(marks) = layer.marks_of(edge, &places)
            {
                marks.tint(places, REACHED);
            }
        });
    }

    fn canvases(&self) -> Vec<HtmlCanvasElement> {
        self.shots.map(|_, shot| match shot {
            Shot::Picture(picture) => picture.canvas().clone(),
            Shot::Reach(layer) => layer.canvas().clone(),
        })
    }
}

/// The elements.
pub struct AboutView {
    steps: Row,
    levels: Row,
    coarse: Row,
    fine: Row,
    mixtures: Row,
    /// A map for each level of a model.
    cones: List<usize, Layer>,
    document: Document,
    drawn: RefCell<Option<RgFlowConfig>>,
}

impl PanelView for AboutView {
    type State = About;

    fn new(site: &Site<'_, Infallible>) -> Result<Self> {
        let document = site.document;
        let row = |id| Row::by_id(document, id, COUNT, false);
        let moved = |id| Row::by_id(document, id, COUNT - 1, true);
        // An address would set everything else anew.
        let links = document.query_selector_all("#panel-about a[data-panel]")?;
        for link in (0..links.length()).filter_map(|i| links.get(i)?.dyn_into::<HtmlElement>().ok()) {
            let Some(panel) = link.dataset().get("panel").and_then(|name| Panel::parse(&name)) else { continue };
            let page = Rc::clone(&site.page);
            on(&link, "click", move |event| {
                event.prevent_default();
                page(Event::Show(panel));
            });
        }
        Ok(Self {
            steps: row("about-steps")?,
            levels: row("about-levels")?,
            coarse: moved("about-coarse")?,
            fine: moved("about-fine")?,
            mixtures: row("about-mix")?,
            cones: List::reversed_by_id(document, "about-cones")?,
            document: document.clone(),
            drawn: RefCell::default(),
        })
    }

    fn render(&self, seen: &Seen<'_, About>) {
        let about = seen.panel;
        if let Some(info) = seen.page.info
            && self.drawn.borrow().as_ref() != Some(&info.config)
        {
            let _ = self.fit(&info.config);
            self.drawn.replace(Some(info.config.clone()));
        }
        for (row, images) in [
            (&self.steps, &about.steps),
            (&self.levels, &about.levels),
            (&self.coarse, &about.moved_coarse),
            (&self.fine, &about.moved_fine),
            (&self.mixtures, &about.mixtures),
        ] {
            row.show(images);
        }
    }

    fn sheet(&self) -> Vec<Vec<HtmlCanvasElement>> {
        [&self.steps, &self.levels, &self.mixtures].map(Row::canvases).to_vec()
    }
}

impl AboutView {
    /// Room for the model's pictures; what the two latents reach, and which latents a pixel in the middle depends on.
    fn fit(&self, config: &RgFlowConfig) -> Result<()> {
        let count = config.level_count();
        for row in [&self.steps, &self.levels] {
            row.fit(count, false)?;
        }
        for (row, LatentAddress { level, row: r, col, .. }) in
            [&self.coarse, &self.fine].into_iter().zip(moved_latents(config))
        {
            row.mark(config.size, &generation_cone(config, &[(level, (r, col))])[0].pixels);
        }
        set_columns(self.cones.parent(), count)?;
        self.cones.fit(0..count, |_| {
            let layer = Layer::create(&self.document)?;
            Ok((layer.canvas().clone().into(), layer))
        })?;
        let middle = config.size / 2;
        let maps = inference_cone(config, &[(middle, middle)]);
        self.cones.for_each(|&level, layer| {
            if let Some(marks) = layer.marks_of(config.size >> level, &maps[level].latents) {
                marks.tint(&maps[level].latents, REACHED);
            }
        });
        Ok(())
    }
}
