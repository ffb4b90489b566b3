//! Tests in a real browser. They are ignored in a plain `cargo test`, which must not need one:
//! `cargo xtask test --only browser` runs them, after `--only page` where they load `dist/`.

mod harness;
mod smoke;
