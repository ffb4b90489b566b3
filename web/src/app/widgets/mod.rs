//! What every part of the page is made of: elements, canvases, boards, sliders, lists, dialogs and films.

pub mod board;
pub mod canvas;
pub mod chart;
pub mod dialog;
pub mod dom;
pub mod film;
pub mod list;
pub mod slider;
