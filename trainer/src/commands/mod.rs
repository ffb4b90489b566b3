//! The commands: a file, or a folder, has a command's arguments, its work and what it alone needs. No command imports
//! another.

pub mod bench;
pub mod blind;
pub mod data;
pub mod decode;
pub mod encode;
pub mod eval;
pub mod eval_inpaint;
pub mod export;
pub mod factors;
pub mod fit_latents;
pub mod import;
pub mod info;
pub mod inpaint;
pub mod licences;
pub mod mix;
pub mod neighbours;
pub mod ovals;
pub mod paper;
pub mod physics;
pub mod pinwheel;
pub mod presets;
pub mod progressive;
pub mod quality;
pub mod receptive_fields;
pub mod sample;
pub mod scales;
pub mod train;
