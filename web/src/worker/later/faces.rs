//! Faces in photographs: the finder's weights are fetched when the first photograph comes.

use std::cell::RefCell;
use std::rc::Rc;

use crate::error::{Error, Result};
use crate::index::ModelEntry;
use crate::protocol::Snapshot;
use crate::worker::store;
use face_finder::{Face, Finder, MAX_SIDE, Photo, file};

/// The finder, once it is here.
#[derive(Default)]
pub struct Faces {
    finder: RefCell<Option<Rc<Finder>>>,
}

impl Faces {
    /// The faces of a photograph. `base` is the address of the folder with the weights.
    ///
    /// # Errors
    /// [`Error::Request`] if it is no photograph of a size that is looked at, and those of the download.
    pub async fn find(&self, base: &str, photo: Snapshot) -> Result<Vec<Face>> {
        let Snapshot { width, height, rgb } = photo;
        let (width, height) = (width as usize, height as usize);
        let photo = Photo::new(width, height, &rgb).filter(|_| width.max(height) <= MAX_SIDE);
        let photo = photo.ok_or_else(|| Error::Request(format!("look for faces in {width}×{height} pixels")))?;
        Ok(self.finder(base).await?.find(photo))
    }

    async fn finder(&self, base: &str) -> Result<Rc<Finder>> {
        if let Some(finder) = self.finder.borrow().clone() {
            return Ok(finder);
        }
        let weights = store::weights(base, &entry(), |_, _| Ok(())).await?;
        let finder = Rc::new(Finder::new(&weights.bytes)?);
        self.finder.replace(Some(Rc::clone(&finder)));
        Ok(finder)
    }
}

/// The file with the finder's weights.
fn entry() -> ModelEntry {
    ModelEntry {
        title: "Face finder".to_owned(),
        file: file::NAME.to_owned(),
        bytes: file::BYTES,
        sha256: file::SHA256.to_owned(),
        ..ModelEntry::default()
    }
}
