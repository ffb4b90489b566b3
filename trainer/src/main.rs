//! RG-Flow.
fn main() {}
