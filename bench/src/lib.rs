//! What benchmarks share: a peer in another library, and reading what was measured.

pub mod browser;
pub mod candle;
pub mod results;
