//! Which request is served, which wait, and which are to be forgotten.

use std::collections::VecDeque;

use crate::messages::{Request, RequestId, RequestKind};

/// Requests in the order of their arrival.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: VecDeque<Request>,
    serving: Option<RequestId>,
    stop: bool,
}

/// What arrival of a request asks for.
#[derive(Debug, PartialEq)]
pub enum Arrival {
    /// Nothing is being served: start.
    Start,
    /// It waits, or there is nothing to do.
    Wait,
    /// The request being served was cancelled.
    Stop(RequestId),
    /// This waiting request was cancelled.
    Dropped(RequestId),
}

impl Queue {
    /// Takes a request in.
    pub fn arrive(&mut self, request: Request) -> Arrival {
        if let RequestKind::Cancel { request: id } = request.kind {
            if self.serving == Some(id) {
                self.stop = true;
                return Arrival::Stop(id);
            }
            let before = self.waiting.len();
            self.waiting.retain(|waiting| waiting.id != id);
            return if self.waiting.len() < before { Arrival::Dropped(id) } else { Arrival::Wait };
        }
        self.waiting.push_back(request);
        if self.serving.is_none() { Arrival::Start } else { Arrival::Wait }
    }

    /// The next request to serve; the one before is done.
    pub fn take_next(&mut self) -> Option<Request> {
        let next = self.waiting.pop_front();
        self.serving = next.as_ref().map(|request| request.id);
        self.stop = false;
        next
    }

    /// Whether the request being served was cancelled.
    pub fn stopped(&self) -> bool {
        self.stop
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(id: RequestId) -> Request {
        Request { id, kind: RequestKind::Index { url: String::new() } }
    }

    fn cancel(id: RequestId) -> Request {
        Request { id: 100 + id, kind: RequestKind::Cancel { request: id } }
    }

    #[test]
    fn requests_are_served_in_order_and_one_by_one() {
        let mut queue = Queue::default();
        assert_eq!(queue.arrive(request(1)), Arrival::Start);
        assert_eq!(queue.take_next().map(|r| r.id), Some(1));
        assert_eq!(queue.arrive(request(2)), Arrival::Wait);
        assert_eq!(queue.arrive(request(3)), Arrival::Wait);
        assert_eq!(queue.take_next().map(|r| r.id), Some(2));
        assert_eq!(queue.take_next().map(|r| r.id), Some(3));
        assert_eq!(queue.take_next(), None);
        assert_eq!(queue.arrive(request(4)), Arrival::Start);
    }

    #[test]
    fn cancelling_stops_the_served_and_drops_the_waiting() {
        let mut queue = Queue::default();
        queue.arrive(request(1));
        queue.take_next();
        queue.arrive(request(2));
        queue.arrive(request(3));
        assert_eq!(queue.arrive(cancel(2)), Arrival::Dropped(2));
        assert!(!queue.stopped());
        assert_eq!(queue.arrive(cancel(1)), Arrival::Stop(1));
        assert!(queue.stopped());
        assert_eq!(queue.take_next().map(|r| r.id), Some(3));
        assert!(!queue.stopped());
    }

    #[test]
    fn cancelling_what_is_over_does_nothing() {
        let mut queue = Queue::default();
        queue.arrive(request(1));
        queue.take_next();
        queue.take_next();
        assert_eq!(queue.arrive(cancel(1)), Arrival::Wait);
        assert_eq!(queue.arrive(cancel(9)), Arrival::Wait);
        queue.arrive(request(2));
        queue.take_next();
        assert!(!queue.stopped());
    }
}
