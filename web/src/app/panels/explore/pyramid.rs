//! The latents, level by level, and which of a place's latents is chosen.

use std::rc::Rc;

use shared::RgFlowConfig;
use shared::geometry::{LatentAddress, LevelCone};
use web_sys::{Document, Element, HtmlElement, HtmlInputElement};

use super::address::ExploreSettings;
use super::colours::{CHOSEN, CONE};
use super::state::{Explore, ExploreEvent};
use crate::app::dispatch::Dispatch;
use crate::app::event::Event;
use crate::app::panels::Site;
use crate::app::widgets::board::{self, Board};
use crate::app::widgets::dom::{by_id, create, on, set_text};
use crate::app::widgets::list::List;
use crate::error::Result;

/// What tints the latents that reach the chosen pixel.
const INSIDE: &str = "rgb(255 176 46 / 55%)";

/// The elements.
pub struct PyramidView {
    document: Document,
    dispatch: Dispatch<ExploreEvent>,
    page: Dispatch<Event>,
    /// A board for each level, number of levels and edge.
    levels: List<(usize, usize, usize), Level>,
    /// The choice of a place's latents, where there is one.
    choice: HtmlElement,
    channels: [HtmlInputElement; 3],
}

/// One level.
struct Level {
    board: Rc<Board>,
    count: HtmlElement,
}

impl PyramidView {
    pub fn new(site: &Site<'_, ExploreEvent>) -> Result<Self> {
        let channel = |c: usize| by_id(site.document, &format!("explore-channel-{c}"));
        let view = Self {
            document: site.document.clone(),
            dispatch: Rc::clone(&site.own),
            page: Rc::clone(&site.page),
            levels: List::reversed_by_id(site.document, "explore-pyramid")?,
            choice: by_id(site.document, "explore-channels")?,
            channels: [channel(0)?, channel(1)?, channel(2)?],
        };
        for (channel, input) in view.channels.iter().enumerate() {
            let d = Rc::clone(&site.own);
            on(input, "change", move |_| d(ExploreEvent::Channel(channel)));
        }
        Ok(view)
    }

    pub fn render(
        &self,
        explore: &Explore,
        settings: &ExploreSettings,
        config: &RgFlowConfig,
        cone: Option<&[LevelCone]>,
    ) {
        let count = config.level_count();
        let _ = self.levels.fit((0..count).map(|level| (level, count, config.size >> level)), |key| self.level(*key));
        self.levels.for_each(|&(h, _, edge), level| {
            level.board.show(explore.pyramid.get(h), edge);
            let reaching: &[(usize, usize)] = match (cone, settings.pixel) {
                (Some(cone), Some(_)) => &cone[h].latents,
                _ => &[],
            };
            let chosen = settings.at.filter(|at| at.level == h).map(|at| (at.row, at.col));
            if let Some(marks) = level.board.marks_of(&(reaching, chosen)) {
                marks.tint(reaching, INSIDE);
                marks.outline(reaching, CONE);
                marks.outline(chosen.as_slice(), CHOSEN);
                level.board.mark_cursor(&marks);
            }
            let all = edge.pow(2) * if h + 1 == count { 4 } else { 3 } / 4;
            let text = if reaching.is_empty() { String::new() } else { format!("{} of {all}", reaching.len()) };
            set_text(&level.count, &text);
        });
        self.choice.set_hidden(config.channels == 1);
        for (c, input) in self.channels.iter().enumerate() {
            input.set_disabled(settings.at.is_none() || c >= config.channels);
            input.set_checked(settings.at.is_some_and(|at| at.channel == c));
        }
    }

    fn level(&self, (level, count, edge): (usize, usize, usize)) -> Result<(Element, Level)> {
        let document = &self.document;
        let figure: Element = create(document, "figure")?;
        let holder: HtmlElement = create(document, "div")?;
        let caption: HtmlElement = create(document, "figcaption")?;
        let (name, counted): (HtmlElement, HtmlElement) = (create(document, "b")?, create(document, "span")?);
        let what = match level {
            0 => ", finest",
            _ if level + 1 == count => ", coarsest",
            _ => "",
        };
        name.set_text_content(Some(&format!("Level {level} ({edge}×{edge}{what}) ")));
        caption.append_child(&name)?;
        caption.append_child(&counted)?;
        figure.append_child(&holder)?;
        figure.append_child(&caption)?;
        let board = Board::inside(document, holder, &format!("Latents of level {level}, {edge} by {edge}"))?;
        let (d, page) = (Rc::clone(&self.dispatch), Rc::clone(&self.page));
        let chosen = move |row, col| d(ExploreEvent::Latent(LatentAddress { level, row, col, channel: 0 }));
        board::listen_to_choices(&board, chosen, move || page(Event::Redraw));
        Ok((figure, Level { board, count: counted }))
    }
}
