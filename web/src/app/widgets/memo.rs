//! The last of something that takes time to make.

use std::cell::RefCell;
use std::rc::Rc;

/// What was made last, and for what.
pub struct Memo<K, V> {
    last: RefCell<Option<(K, Rc<V>)>>,
}

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self { last: RefCell::default() }
    }
}

impl<K: PartialEq, V> Memo<K, V> {
    /// What `make` makes for a key, once while the key stays the same.
    pub fn get(&self, key: K, make: impl FnOnce() -> V) -> Rc<V> {
        let mut last = self.last.borrow_mut();
        match &*last {
            Some((old, made)) if *old == key => Rc::clone(made),
            _ => Rc::clone(&last.insert((key, Rc::new(make()))).1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_made_twice_in_a_row() {
        let (memo, made) = (Memo::default(), RefCell::new(vec![]));
        let mut got = vec![];
        for key in [1, 1, 2, 1] {
            got.push(*memo.get(key, || {
                made.borrow_mut().push(key);
                key * 10
            }));
        }
        assert_eq!((got, made.into_inner()), (vec![10, 10, 20, 10], vec![1, 2, 1]));
    }
}
