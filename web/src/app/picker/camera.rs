//! The camera, while its page of the dialog is shown.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_events::EventListener;
use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Document, HtmlCanvasElement, HtmlMediaElement, HtmlVideoElement, ImageBitmap, MediaStream, MediaStreamConstraints,
    MediaStreamTrack, Window,
};

use crate::app::widgets::canvas::context;
use crate::app::widgets::dom::{by_id, create};
use crate::error::{Error, Result};

/// The camera's picture.
pub struct Camera {
    document: Document,
    window: Window,
    video: HtmlVideoElement,
    stream: RefCell<Option<Stream>>,
    /// How often the camera was asked for or let go of; only the answer to the last counts.
    turns: Cell<u32>,
}

struct Stream {
    media: MediaStream,
    _ended: Vec<EventListener>,
}

impl Camera {
    pub fn new(document: &Document) -> Result<Self> {
        Ok(Self {
            document: document.clone(),
            window: document.default_view().ok_or_else(|| Error::Browser("there is no window".to_owned()))?,
            video: by_id(document, "picker-video")?,
            stream: RefCell::default(),
            turns: Cell::default(),
        })
    }

    /// Asks for the camera, and shows what it sees. `ended` hears when it is taken away.
    ///
    /// # Errors
    /// [`Error::Browser`] if there is none, [`Error::Cancelled`] if nobody waits for it any more.
    pub async fn start(&self, ended: impl Fn() + 'static) -> Result<()> {
        self.stop();
        let turn = self.turns.get();
        let stream = self.ask().await;
        // The reader may take a while to allow it, and may have left meanwhile.
        if self.turns.get() != turn {
            if let Ok(stream) = &stream {
                tracks(stream).for_each(|track| track.stop());
            }
            return Err(Error::Cancelled);
        }
        let media = stream?;
        let ended = Rc::new(ended);
        let listen = |track: MediaStreamTrack| {
            let ended = Rc::clone(&ended);
            EventListener::new(&track, "ended", move |_| ended())
        };
        let _ended = tracks(&media).map(listen).collect();
        // People know themselves from mirrors; a camera that looks away from them shows the world as it is.
        let away = tracks(&media).any(|track| {
            let facing = Reflect::get(&track.get_settings(), &JsValue::from_str("facingMode"));
            facing.is_ok_and(|facing| facing.as_string().as_deref() == Some("environment"))
        });
        let _ = self.video.class_list().toggle_with_force("mirrored", !away);
        self.video.set_src_object(Some(&media));
        self.stream.replace(Some(Stream { media, _ended }));
        Ok(())
    }

    async fn ask(&self) -> Result<MediaStream> {
        let refused = |_: JsValue| Error::Browser("there is no camera, or it may not be used".to_owned());
        let constraints = MediaStreamConstraints::new();
        let video = js_sys::Object::new();
        Reflect::set(&video, &JsValue::from_str("facingMode"), &JsValue::from_str("user"))?;
        constraints.set_video(&video);
        // On an insecure origin there is no such thing at all.
        let devices = self.window.navigator().media_devices().map_err(refused)?;
        let asked = devices.get_user_media_with_constraints(&constraints).map_err(refused)?;
        Ok(JsFuture::from(asked).await.map_err(refused)?.into())
    }

    /// What the camera sees now, as the page shows it.
    pub async fn shoot(&self) -> Result<ImageBitmap> {
        let nothing = || Error::Browser("the camera shows nothing yet".to_owned());
        let (width, height) = (self.video.video_width(), self.video.video_height());
        // Its size is known a moment before its first frame.
        if width == 0 || height == 0 || self.video.ready_state() < HtmlMediaElement::HAVE_CURRENT_DATA {
            return Err(nothing());
        }
        let still: HtmlCanvasElement = create(&self.document, "canvas")?;
        still.set_width(width);
        still.set_height(height);
        let drawing = context(&still)?;
        if self.video.class_list().contains("mirrored") {
            drawing.translate(f64::from(width), 0.0)?;
            drawing.scale(-1.0, 1.0)?;
        }
        drawing.draw_image_with_html_video_element(&self.video, 0.0, 0.0)?;
        let bitmap = JsFuture::from(self.window.create_image_bitmap_with_html_canvas_element(&still)?).await;
        let bitmap = bitmap.map_err(|_| nothing())?;
        self.stop();
        Ok(bitmap.into())
    }

    /// Turns the camera off, or stops waiting for it.
    pub fn stop(&self) {
        self.turns.set(self.turns.get().wrapping_add(1));
        if let Some(stream) = self.stream.take() {
            tracks(&stream.media).for_each(|track| track.stop());
            self.video.set_src_object(None);
        }
    }
}

fn tracks(stream: &MediaStream) -> impl Iterator<Item = MediaStreamTrack> + use<> {
    stream.get_tracks().to_vec().into_iter().map(JsCast::unchecked_into)
}
