//! Which task is served, which wait, and which are to be forgotten.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

use crate::protocol::{Request, RequestId};

/// Tasks in the order of their arrival.
#[derive(Debug)]
pub struct Queue<T> {
    waiting: VecDeque<(RequestId, T)>,
    serving: Option<Serving<()>>,
}

/// A task that is being served.
#[derive(Clone, Debug)]
pub struct Serving<T> {
    /// Its id.
    pub id: RequestId,
    /// The task.
    pub task: T,
    /// Becomes true when it is cancelled.
    pub stopped: Rc<Cell<bool>>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), serving: None }
    }
}

/// What the arrival of a request asks for.
#[derive(Debug, PartialEq)]
pub enum Arrival {
    /// Nothing is being served: start.
    Start,
    /// It waits, or there is nothing to do.
    Wait,
    /// The task being served was cancelled.
    Stop(RequestId),
    /// This waiting task was cancelled.
    Dropped(RequestId),
}

impl<T> Queue<T> {
    /// Takes a request in.
    pub fn arrive(&mut self, request: Request<T>) -> Arrival {
        match request {
            Request::Serve { id, task } => {
                self.waiting.push_back((id, task));
                if self.serving.is_none() { Arrival::Start } else { Arrival::Wait }
            }
            Request::Cancel { id } => {
                if let Some(serving) = self.serving.as_ref().filter(|serving| serving.id == id) {
                    serving.stopped.set(true);
                    return Arrival::Stop(id);
                }
                let before = self.waiting.len();
                self.waiting.retain(|(waiting, _)| *waiting != id);
                if self.waiting.len() < before { Arrival::Dropped(id) } else { Arrival::Wait }
            }
        }
    }

    /// The next task to serve; the one before is done.
    pub fn take_next(&mut self) -> Option<Serving<T>> {
        self.serving = None;
        let (id, task) = self.waiting.pop_front()?;
        let stopped = Rc::new(Cell::new(false));
        self.serving = Some(Serving { id, task: (), stopped: Rc::clone(&stopped) });
        Some(Serving { id, task, stopped })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: RequestId) -> Request<char> {
        Request::Serve { id, task: 'x' }
    }

    fn cancel(id: RequestId) -> Request<char> {
        Request::Cancel { id }
    }

    #[test]
    fn tasks_are_served_in_order_and_one_by_one() {
        let mut queue = Queue::default();
        assert_eq!(queue.arrive(task(1)), Arrival::Start);
        assert_eq!(queue.take_next().map(|serving| serving.id), Some(1));
        assert_eq!(queue.arrive(task(2)), Arrival::Wait);
        assert_eq!(queue.arrive(task(3)), Arrival::Wait);
        assert_eq!(queue.take_next().map(|serving| serving.id), Some(2));
        assert_eq!(queue.take_next().map(|serving| serving.id), Some(3));
        assert!(queue.take_next().is_none());
        assert_eq!(queue.arrive(task(4)), Arrival::Start);
    }

    #[test]
    fn cancelling_stops_the_served_and_drops_the_waiting() {
        let mut queue = Queue::default();
        queue.arrive(task(1));
        let first = queue.take_next().unwrap();
        queue.arrive(task(2));
        queue.arrive(task(3));
        assert_eq!(queue.arrive(cancel(2)), Arrival::Dropped(2));
        assert!(!first.stopped.get());
        assert_eq!(queue.arrive(cancel(1)), Arrival::Stop(1));
        assert!(first.stopped.get());
        let third = queue.take_next().unwrap();
        assert_eq!((third.id, third.stopped.get()), (3, false));
    }

    #[test]
    fn cancelling_what_is_over_does_nothing() {
        let mut queue = Queue::default();
        queue.arrive(task(1));
        queue.take_next();
        queue.take_next();
        assert_eq!(queue.arrive(cancel(1)), Arrival::Wait);
        assert_eq!(queue.arrive(cancel(9)), Arrival::Wait);
        queue.arrive(task(2));
        assert!(!queue.take_next().unwrap().stopped.get());
    }
}
