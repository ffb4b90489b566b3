//! What every part of the page is made of: elements, canvases, boards, sliders, lists, dialogs, films, downloads and numbers.

pub mod board;
pub mod canvas;
pub mod chart;
pub mod dialog;
pub mod dom;
pub mod download;
pub mod film;
pub mod list;
pub mod memo;
pub mod numbers;
pub mod slider;
