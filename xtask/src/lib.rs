//! The project's chores: set-up, building and serving the page, and the one command that runs every check.

pub mod bench;
pub mod budget;
pub mod cli;
pub mod coverage;
pub mod deny;
pub mod env;
pub mod film;
pub mod fuzz;
pub mod licences;
pub mod page;
pub mod process;
pub mod python;
pub mod server;
pub mod setup;
pub mod test;
pub mod versions;
