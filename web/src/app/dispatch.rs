//! How what happens in the page's elements reaches its state.

use std::rc::Rc;

/// Takes events of one kind from anywhere in the page.
pub type Dispatch<E> = Rc<dyn Fn(E)>;

/// Takes one kind of the events that `dispatch` takes.
pub fn narrowed<E: 'static, F: 'static>(dispatch: &Dispatch<E>, widen: impl Fn(F) -> E + 'static) -> Dispatch<F> {
    let dispatch = Rc::clone(dispatch);
    Rc::new(move |event| dispatch(widen(event)))
}
