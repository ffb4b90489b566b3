//! Work on several threads, if the build has them.

#[cfg(feature = "parallel")]
use rayon::prelude::*;

/// Threads that [`each`] and [`map_each`] use.
pub fn threads() -> usize {
    #[cfg(feature = "parallel")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "parallel"))]
    1
}

/// Does the work on each item.
pub fn each<T: Send>(items: Vec<T>, work: impl Fn(T) + Send + Sync) {
    map_each(items, work);
}

/// The work's results, in the order of the items.
pub fn map_each<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Send + Sync) -> Vec<R> {
    #[cfg(feature = "parallel")]
    return items.into_par_iter().map(work).collect();
    #[cfg(not(feature = "parallel"))]
    items.into_iter().map(work).collect()
}
