//! Requests of which only the newest matters: one is under way, one waits, and all between are forgotten.

use super::Effect;
use crate::messages::edit::EditKind;
use crate::messages::{Request, RequestId, RequestKind};

/// Numbers for requests.
#[derive(Clone, Debug, Default)]
pub struct Ids(RequestId);

impl Ids {
    /// A new one, never 0.
    pub fn fresh(&mut self) -> RequestId {
        self.0 += 1;
        self.0
    }
}

/// A picture that follows a slider: while one is made, the slider may move on.
#[derive(Clone, Debug, Default)]
pub struct Live {
    busy: Option<RequestId>,
    next: Option<EditKind>,
}

impl Live {
    /// Asks for something instead of whatever waited.
    pub fn ask(&mut self, kind: EditKind, ids: &mut Ids) -> Vec<Effect> {
        if self.busy.is_some() {
            self.next = Some(kind);
            return vec![];
        }
        let id = ids.fresh();
        self.busy = Some(id);
        vec![Effect::Send(Request { id, kind: RequestKind::Edit(kind) })]
    }

    /// Stops what is under way, and wants nothing any more.
    pub fn stop(&mut self, ids: &mut Ids) -> Vec<Effect> {
        self.next = None;
        let Some(request) = self.busy.take() else { return vec![] };
        vec![Effect::Send(Request { id: ids.fresh(), kind: RequestKind::Cancel { request } })]
    }

    /// A request is over. If it was this one's, the next is sent.
    pub fn over(&mut self, id: RequestId, ids: &mut Ids) -> Option<Vec<Effect>> {
        if self.busy != Some(id) {
            return None;
        }
        self.busy = None;
        Some(self.next.take().map(|kind| self.ask(kind, ids)).unwrap_or_default())
    }

    /// Whether more is to come.
    pub fn is_busy(&self) -> bool {
        self.busy.is_some()
    }

    /// Whether this request is this one's.
    pub fn waits_for(&self, id: RequestId) -> bool {
        self.busy == Some(id)
    }

    /// Wants nothing any more; answers under way are nobody's.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::edit::Source;

    fn kind(share: f32) -> EditKind {
        let source = Source::Own { rgb: Default::default() };
        EditKind::Interpolate { a: source.clone(), b: source, share }
    }

    #[test]
    fn one_is_under_way_and_the_newest_follows() {
        let (mut live, mut ids) = (Live::default(), Ids::default());
        let sent = |share, id| vec![Effect::Send(Request { id, kind: RequestKind::Edit(kind(share)) })];
        assert_eq!(live.ask(kind(0.1), &mut ids), sent(0.1, 1));
        assert_eq!(live.ask(kind(0.2), &mut ids), []);
        assert_eq!(live.ask(kind(0.3), &mut ids), []);
        assert_eq!(live.over(9, &mut ids), None);
        assert!(live.waits_for(1));
        assert_eq!(live.over(1, &mut ids), Some(sent(0.3, 2)));
        assert_eq!(live.over(2, &mut ids), Some(vec![]));
        assert!(!live.is_busy());
        assert_eq!(live.stop(&mut ids), []);
        live.ask(kind(0.4), &mut ids);
        let stop = Request { id: 4, kind: RequestKind::Cancel { request: 3 } };
        assert_eq!(live.stop(&mut ids), [Effect::Send(stop)]);
        live.ask(kind(0.4), &mut ids);
        live.forget();
        assert_eq!((live.over(3, &mut ids), live.over(5, &mut ids)), (None, None));
    }
}
