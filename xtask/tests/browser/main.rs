//! Tests in a real browser. They are ignored in a plain `cargo test`, which must not need one:
//! `cargo xtask test --only browser` runs them, after `--only page` where they load `dist/`.

// A test's helpers may fail as the test itself does.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod camera;
mod dialogs;
mod drop;
mod embed;
mod explore;
mod faces;
mod faulty;
mod fields;
mod film;
mod gpu;
mod harness;
mod looks;
mod lost;
mod memory;
mod microscope;
mod mix;
mod offline;
mod own;
mod page;
mod panels;
mod phone;
mod programs;
mod race;
mod share;
mod sizes;
mod slow;
mod smoke;
mod start;
mod steps;
mod stress;
mod touch;
mod train;
mod train_gpu;
mod train_hands;
