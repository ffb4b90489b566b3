//! What the chosen thing is drawn with, and the border of its cone.

pub const CHOSEN: &str = "#ff5a3c";
pub const CONE: &str = "#ffb02e";
