//! The about panel's pictures.

use std::cell::RefCell;
use std::rc::Rc;

use shared::RgFlowConfig;
use shared::geometry::{generation_cone, inference_cone};
use web_sys::{Document, HtmlCanvasElement, HtmlElement};

use super::board::Layer;
use super::canvas::Picture;
use super::dom::by_id;
use crate::app::state::State;
use crate::app::state::about::moved_latents;
use crate::error::Result;
use crate::messages::edit::Image;

/// What is reached.
const REACHED: &str = "#ffb02e";

/// A row of pictures in the element of that id, as many as there are.
struct Row {
    document: Document,
    element: HtmlElement,
    pictures: RefCell<Vec<Picture>>,
}

impl Row {
    fn by_id(document: &Document, id: &str) -> Result<Self> {
        Ok(Self { document: document.clone(), element: by_id(document, id)?, pictures: RefCell::default() })
    }

    fn show(&self, images: &[Rc<Image>]) -> Result<()> {
        let mut pictures = self.pictures.borrow_mut();
        while pictures.len() < images.len() {
            let picture = Picture::create(&self.document)?;
            self.element.append_child(picture.canvas())?;
            pictures.push(picture);
        }
        for (i, picture) in pictures.iter().enumerate() {
            picture.canvas().set_hidden(i >= images.len());
            picture.show(images.get(i));
        }
        Ok(())
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
    pub fn new(document: &Document) -> Result<Self> {
        let row = |id| Row::by_id(document, id);
        Ok(Self {
            document: document.clone(),
            steps: row("about-steps")?,
            levels: row("about-levels")?,
            coarse: row("about-coarse")?,
            fine: row("about-fine")?,
            mixtures: row("about-mix")?,
            cones: by_id(document, "about-cones")?,
            drawn: RefCell::default(),
        })
    }

    pub fn render(&self, state: &State) {
        let about = &state.about;
        for (row, images) in [
            (&self.steps, &about.steps),
            (&self.levels, &about.levels),
            (&self.coarse, &about.moved_coarse),
            (&self.fine, &about.moved_fine),
            (&self.mixtures, &about.mixtures),
        ] {
            let _ = row.show(images);
        }
        if let Some(info) = &state.info
            && self.drawn.borrow().as_ref() != Some(&info.config)
        {
            let _ = self.draw_cones(&info.config);
            self.drawn.replace(Some(info.config.clone()));
        }
    }

    /// What the two latents reach, and which latents a pixel in the middle depends on.
    fn draw_cones(&self, config: &RgFlowConfig) -> Result<()> {
        for (row, at) in [&self.coarse, &self.fine].into_iter().zip(moved_latents(config)) {
            let cone = generation_cone(config, &[(at.level, (at.row, at.col))]);
            let layer = Layer::create(&self.document)?;
            if let Some(marks) = layer.marks(config.size) {
                marks.tint(&cone[0].pixels, REACHED);
            }
            row.element.append_child(layer.canvas())?;
        }
        self.cones.set_text_content(None);
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
