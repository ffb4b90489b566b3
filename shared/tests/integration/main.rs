//! Whole models through the public interface. One program: each would build Burn's operations for itself.

// A test's helpers may fail as the test itself does.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod any;
mod by_level;
mod finite;
mod flow;
mod inpaint;
mod large;
mod local;
mod numbers;
mod real_nvp;
mod receptive;
mod records;
mod reference;
mod shared_levels;
mod weights;
