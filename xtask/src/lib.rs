//! The project's chores: set-up, building and serving the page, and the one command that runs every check.

pub mod env;
pub mod process;
pub mod setup;
pub mod versions;
