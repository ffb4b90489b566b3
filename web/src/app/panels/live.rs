//! Tasks of which only the newest matters: one is under way, one waits, and all between are forgotten.

use crate::app::effect::{Effect, Ids};
use crate::protocol::{RequestId, Task};

/// A picture that follows a slider: while one is made, the slider may move on.
#[derive(Clone, Debug, Default)]
pub struct Live {
    busy: Option<RequestId>,
    next: Option<Task>,
}

impl Live {
    /// Asks for something instead of whatever waited.
    pub fn ask(&mut self, task: impl Into<Task>, ids: &mut Ids) -> Vec<Effect> {
        if self.busy.is_some() {
            self.next = Some(task.into());
            return vec![];
        }
        let id = ids.fresh();
        self.busy = Some(id);
        vec![Effect::serve(id, task)]
    }

    /// Stops what is under way, and wants nothing any more.
    pub fn stop(&mut self) -> Vec<Effect> {
        self.next = None;
        self.busy.take().map(Effect::cancel).into_iter().collect()
    }

    /// A task is over. If it was this one's, the next is sent.
    pub fn over(&mut self, id: RequestId, ids: &mut Ids) -> Option<Vec<Effect>> {
        if self.busy != Some(id) {
            return None;
        }
        self.busy = None;
        Some(self.next.take().map(|task| self.ask(task, ids)).unwrap_or_default())
    }

    /// Whether more is to come.
    pub fn is_busy(&self) -> bool {
        self.busy.is_some()
    }

    /// Whether this task is this one's.
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
    use crate::protocol::{Edit, Source};

    fn task(share: f32) -> Edit {
        let source = Source::Own { rgb: Default::default() };
        Edit::Interpolate { a: source.clone(), b: source, share }
    }

    #[test]
    fn one_is_under_way_and_the_newest_follows() {
        let (mut live, mut ids) = (Live::default(), Ids::default());
        let sent = |share, id| vec![Effect::serve(id, task(share))];
        assert_eq!(live.ask(task(0.1), &mut ids), sent(0.1, 1));
        assert_eq!(live.ask(task(0.2), &mut ids), []);
        assert_eq!(live.ask(task(0.3), &mut ids), []);
        assert_eq!(live.over(9, &mut ids), None);
        assert!(live.waits_for(1));
        assert_eq!(live.over(1, &mut ids), Some(sent(0.3, 2)));
        assert_eq!(live.over(2, &mut ids), Some(vec![]));
        assert!(!live.is_busy());
        assert_eq!(live.stop(), []);
        live.ask(task(0.4), &mut ids);
        assert_eq!(live.stop(), [Effect::cancel(3)]);
        live.ask(task(0.4), &mut ids);
        live.forget();
        assert_eq!((live.over(3, &mut ids), live.over(4, &mut ids)), (None, None));
    }
}
