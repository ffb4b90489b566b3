//! The camera, while its page of the dialog is in sight.

use std::cell::RefCell;

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, HtmlVideoElement, ImageBitmap, MediaStream, MediaStreamConstraints, MediaStreamTrack, Window};

use crate::app::view::dom::by_id;
use crate::error::{Error, Result};

/// The camera's picture.
pub struct Camera {
    window: Window,
    video: HtmlVideoElement,
    stream: RefCell<Option<MediaStream>>,
}

impl Camera {
    pub fn new(document: &Document) -> Result<Self> {
        let window = document.default_view().ok_or_else(|| Error::Browser("there is no window".to_owned()))?;
        Ok(Self { window, video: by_id(document, "picker-video")?, stream: RefCell::default() })
    }

    /// Asks for the camera, and shows what it sees.
    pub async fn start(&self) -> Result<()> {
        let refused = |_: JsValue| Error::Browser("there is no camera, or it may not be used".to_owned());
        let constraints = MediaStreamConstraints::new();
        constraints.set_video(&JsValue::TRUE);
        // On an insecure origin there is no such thing at all.
        let devices = self.window.navigator().media_devices().map_err(refused)?;
        let asked = devices.get_user_media_with_constraints(&constraints).map_err(refused)?;
        let stream: MediaStream = JsFuture::from(asked).await.map_err(refused)?.into();
        self.video.set_src_object(Some(&stream));
        self.stream.replace(Some(stream));
        Ok(())
    }

    /// What the camera sees now.
    pub async fn shoot(&self) -> Result<ImageBitmap> {
        let bitmap = JsFuture::from(self.window.create_image_bitmap_with_html_video_element(&self.video)?).await;
        let bitmap = bitmap.map_err(|_| Error::Browser("the camera shows nothing yet".to_owned()))?;
        self.stop();
        Ok(bitmap.into())
    }

    /// Lets go of the camera.
    pub fn stop(&self) {
        if let Some(stream) = self.stream.take() {
            for track in stream.get_tracks().iter() {
                track.unchecked_into::<MediaStreamTrack>().stop();
            }
            self.video.set_src_object(None);
        }
    }
}
