//! What benchmarks share: training steps, a peer in another library, and reading what was measured.

pub mod browser;
pub mod candle;
pub mod results;
pub mod training;
