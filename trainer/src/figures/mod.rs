//! Pictures that commands write: sheets, labelled figures, plots.

pub mod figure;
pub mod plot;
pub mod sheet;
