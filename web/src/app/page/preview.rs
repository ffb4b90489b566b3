//! The stored first samples, which web/js/boot.js paints while the program and the model are on their way.

use std::rc::Rc;

use serde_bytes::ByteBuf;
use web_sys::{Document, HtmlCanvasElement};

use crate::app::dispatch::Dispatch;
use crate::app::event::Event;
use crate::app::widgets::canvas::context;
use crate::app::widgets::dom::{by_id, on};
use crate::error::Result;
use crate::protocol::Image;

/// Samples in a row of the stored picture, and rows.
const COLUMNS: u32 = 4;

/// Tells the page of the samples as soon as they are there, which may be now.
pub fn listen(document: &Document, dispatch: &Dispatch<Event>) -> Result<()> {
    let canvas: HtmlCanvasElement = by_id(document, "preview")?;
    let (d, painted) = (dispatch.clone(), canvas.clone());
    let tell = move || {
        // Where the browser does not let its canvases be read, the page waits for the model as it would without.
        if painted.has_attribute("data-painted")
            && let Ok(samples) = cut(&painted)
        {
            d(Event::Preview(samples));
        }
    };
    tell();
    on(&canvas, "painted", move |_| tell());
    Ok(())
}

/// The samples in a canvas, row by row.
fn cut(canvas: &HtmlCanvasElement) -> Result<Vec<Rc<Image>>> {
    let (drawing, size) = (context(canvas)?, canvas.width() / COLUMNS);
    let edge = f64::from(size);
    let sample = |place: u32| {
        let (x, y) = (f64::from(place % COLUMNS) * edge, f64::from(place / COLUMNS) * edge);
        let rgba = ByteBuf::from(drawing.get_image_data(x, y, edge, edge)?.data().0);
        Ok(Rc::new(Image { size, rgba }))
    };
    (0..COLUMNS * COLUMNS).map(sample).collect()
}
