//! The reader's own pictures: the faces in the photograph that is being cut out, and what was cut out of earlier ones.

use std::rc::Rc;

use super::state::State;
use crate::address::Own;
use crate::app::effect::Effect;
use crate::app::picker::Looked;
use crate::protocol::{RequestId, Snapshot, Task};
use face_finder::Face;

/// The most pictures that are kept.
pub const MOST: usize = 12;

/// The pictures, and what is being looked for.
#[derive(Clone, Debug, Default)]
pub struct Photos {
    /// What was cut out, the newest first.
    pub kept: Vec<Rc<Own>>,
    /// Whether the browser keeps nothing, so that all are lost with the page.
    pub forgotten: bool,
    /// What was found in the photograph of that number.
    pub looked: Option<(u32, Rc<Looked>)>,
    /// The task of looking at the photograph of that number.
    asked: Option<(RequestId, u32)>,
}

impl Photos {
    /// Whether a photograph is being looked at.
    pub fn is_busy(&self) -> bool {
        self.asked.is_some()
    }

    /// Whether this task looks at a photograph; it is over then.
    fn over(&mut self, id: RequestId, looked: Looked) -> bool {
        let asked = self.asked.take_if(|(asked, _)| *asked == id);
        if let Some((_, number)) = asked {
            self.looked = Some((number, Rc::new(looked)));
        }
        asked.is_some()
    }

    /// What was found.
    pub(super) fn found(&mut self, id: RequestId, faces: Vec<Face>) {
        self.over(id, Looked::Faces(faces));
    }

    /// Whether this was the task, which failed.
    pub(super) fn failed(&mut self, id: RequestId, message: &str) -> bool {
        self.over(id, Looked::Failed(message.to_owned()))
    }

    /// The worker is gone, and with it the task.
    pub(super) fn abandon(&mut self, message: &str) {
        if let Some((id, _)) = self.asked {
            self.failed(id, message);
        }
    }

    fn add(&mut self, own: Rc<Own>) {
        self.kept.retain(|other| *other != own);
        self.kept.insert(0, own);
        self.kept.truncate(MOST);
    }
}

impl State {
    /// Looks for faces in a photograph, which has a number of its own.
    pub(super) fn look(&mut self, number: u32, photo: Snapshot) -> Vec<Effect> {
        let id = self.ids.fresh();
        self.photos.asked = Some((id, number));
        self.photos.looked = None;
        vec![Effect::serve(id, self.find_faces(photo))]
    }

    /// The task of finding the faces in a photograph.
    pub(super) fn find_faces(&self, photo: Snapshot) -> Task {
        // Beside the models' folder.
        let base = self.index_url.rsplit_once('/').and_then(|(models, _)| models.rsplit_once('/'));
        let base = base.map(|(page, _)| format!("{page}/faces/")).unwrap_or_default();
        Task::Faces { base, photo }
    }

    /// Keeps a picture of the reader's.
    pub(super) fn keep_photo(&mut self, own: &Rc<Own>) -> Effect {
        self.photos.add(Rc::clone(own));
        Effect::KeepPhotos(self.photos.kept.clone())
    }

    /// Forgets one. Where it is shown it stays, until another one is chosen.
    pub(super) fn remove_photo(&mut self, own: &Rc<Own>) -> Vec<Effect> {
        self.photos.kept.retain(|other| other != own);
        vec![Effect::KeepPhotos(self.photos.kept.clone())]
    }
}
