//! Whether two backends draw the same pictures.

/// Rounding moves a value by no more than this, of 255…
const CLOSE: u8 = 2;
/// …except for one value in this many, where the flow magnifies it.
const RARE: usize = 500;

/// Whether these are the same pictures up to rounding.
pub fn agree<T: AsRef<[u8]>>(a: &[T], b: &[T]) -> bool {
    let pairs = || a.iter().map(AsRef::as_ref).zip(b.iter().map(AsRef::as_ref));
    if a.len() != b.len() || pairs().any(|(a, b)| a.len() != b.len()) {
        return false;
    }
    let values = || pairs().flat_map(|(a, b)| a.iter().zip(b));
    let far = values().filter(|&(&a, &b)| a.abs_diff(b) > CLOSE).count();
    far * RARE <= values().count()
}
