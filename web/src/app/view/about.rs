//! The about panel's pictures.

use std::cell::RefCell;
use std::rc::Rc;

use shared::RgFlowConfig;
use shared::geometry::{LatentAddress, generation_cone, inference_cone};
use wasm_bindgen::JsCast;
use web_sys::{Document, HtmlCanvasElement, HtmlElement};

use super::board::Layer;
use super::canvas::Picture;
use super::dom::{by_id, on};
use crate::app::Dispatch;
use crate::app::state::about::moved_latents;
use crate::app::state::{Event, State};
use crate::error::Result;
use crate::fragment::Panel;
use crate::messages::edit::Image;

/// What is reached.
const REACHED: &str = "#ffb02e";
/// Pictures in a row, where their number does not follow from the model.
const COUNT: usize = 4;

/// A row of pictures in the element of that id. All have their room before they are there.
struct Row {
    document: Document,
    element: HtmlElement,
    pictures: RefCell<Vec<Picture>>,
    /// What is reached, at the end of the row.
    reach: Option<Layer>,
}

impl Row {
    fn by_id(document: &Document, id: &str) -> Result<Self> {
        let element = by_id(document, id)?;
        let row = Self { document: document.clone(), element, pictures: RefCell::default(), reach: None };
        row.fit(COUNT)?;
        Ok(row)
    }

    /// A row that ends with what its latent reaches.
    fn with_reach(document: &Document, id: &str) -> Result<Self> {
        let reach = Layer::create(document)?;
        let row = Self { reach: Some(reach), ..Self::by_id(document, id)? };
        row.fit(COUNT - 1)?;
        if let Some(reach) = &row.reach {
            row.element.append_child(reach.canvas())?;
        }
        Ok(row)
    }

    /// Gives room to so many pictures.
    fn fit(&self, count: usize) -> Result<()> {
        let mut pictures = self.pictures.borrow_mut();
        while pictures.len() < count {
            let picture = Picture::create(&self.document)?;
            self.element.append_child(picture.canvas())?;
            pictures.push(picture);
        }
        for picture in pictures.drain(count..) {
            picture.canvas().remove();
        }
        let all = count + usize::from(self.reach.is_some());
        Ok(self.element.style().set_property("--shots", &all.to_string())?)
    }

    fn show(&self, images: &[Rc<Image>]) {
        for (i, picture) in self.pictures.borrow().iter().enumerate() {
            picture.show(images.get(i));
        }
    }

    /// Draws what a latent reaches.
    fn draw_reach(&self, config: &RgFlowConfig, at: LatentAddress) {
        let cone = generation_cone(config, &[(at.level, (at.row, at.col))]);
        if let Some(marks) = self.reach.as_ref().and_then(|layer| layer.marks(config.size)) {
            marks.tint(&cone[0].pixels, REACHED);
        }
    }
}

/// The elements.
pub struct AboutView {
    document: Document,
    steps: Row,
    levels: Row,
    coarse: Row,
    fine: Row,
    mixtures: Row,
    cones: HtmlElement,
    drawn: RefCell<Option<RgFlowConfig>>,
}

impl AboutView {
    pub fn new(document: &Document, dispatch: &Dispatch) -> Result<Self> {
        let row = |id| Row::by_id(document, id);
        // An address would set everything else anew.
        let links = document.query_selector_all("#panel-about a[data-panel]")?;
        for link in (0..links.length()).filter_map(|i| links.get(i)?.dyn_into::<HtmlElement>().ok()) {
            let Some(panel) = link.dataset().get("panel").and_then(|name| Panel::parse(&name)) else { continue };
            let d = dispatch.clone();
            on(&link, "click", move |event| {
                event.prevent_default();
                d(Event::Show(panel));
            });
        }
        Ok(Self {
            document: document.clone(),
            steps: row("about-steps")?,
            levels: row("about-levels")?,
            coarse: Row::with_reach(document, "about-coarse")?,
            fine: Row::with_reach(document, "about-fine")?,
            mixtures: row("about-mix")?,
            cones: by_id(document, "about-cones")?,
            drawn: RefCell::default(),
        })
    }

    pub fn render(&self, state: &State) {
        let about = &state.about;
        if let Some(info) = &state.info
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

    /// Room for the model's pictures; what the two latents reach, and which latents a pixel in the middle depends on.
    fn fit(&self, config: &RgFlowConfig) -> Result<()> {
        let count = config.level_count();
        for row in [&self.steps, &self.levels] {
            row.fit(count)?;
        }
        for (row, at) in [&self.coarse, &self.fine].into_iter().zip(moved_latents(config)) {
            row.draw_reach(config, at);
        }
        self.cones.set_text_content(None);
        self.cones.style().set_property("--shots", &count.to_string())?;
        let middle = config.size / 2;
        let maps = inference_cone(config, &[(middle, middle)]);
        for (level, cone) in maps.iter().enumerate().rev() {
            let layer = Layer::create(&self.document)?;
            if let Some(marks) = layer.marks(config.size >> level) {
                marks.tint(&cone.latents, REACHED);
            }
            self.cones.append_child(layer.canvas())?;
        }
        Ok(())
    }

    /// What a saved file shows.
    pub fn sheet(&self) -> Vec<Vec<HtmlCanvasElement>> {
        let canvases = |row: &Row| row.pictures.borrow().iter().map(|picture| picture.canvas().clone()).collect();
        [&self.steps, &self.levels, &self.mixtures].into_iter().map(canvases).collect()
    }
}
