//! Every version of a tool that the project asks for, in one place.

/// The wasm-bindgen command line's version where `Cargo.lock` names no `wasm-bindgen`: the two must be equal, or
/// the generated JavaScript does not fit the module. 0.2.129 is the newest that installs with its own lock file.
pub const WASM_BINDGEN: &str = "0.2.129";

/// Trunk's version: the newest that builds on the stable compiler named in `Cargo.toml` (0.22 wants a newer one).
pub const TRUNK: &str = "0.21.14";

/// The npm package `binaryen`, which holds `wasm-opt`: Debian's own is years older, and this one is the same everywhere.
pub const BINARYEN: &str = "132.0.0";

/// The npm package `axe-core`, which the browser tests judge the page's accessibility with.
pub const AXE: &str = "4.14.1";

/// The npm package `onnxruntime-web`, which the page's engine is timed beside.
pub const ONNX_RUNTIME_WEB: &str = "1.30.0";

/// cargo-deny's version, which checks licences and advisories.
pub const CARGO_DENY: &str = "0.20.2";

/// cargo-llvm-cov's version, which counts the lines that tests run.
pub const CARGO_LLVM_COV: &str = "0.9.1";

/// cargo-fuzz's version, which builds what libFuzzer runs.
pub const CARGO_FUZZ: &str = "0.13.2";

/// PyTorch's version, which the reader in Python is tested with.
pub const TORCH: &str = "2.15.0";

/// The version of safetensors in Python.
pub const SAFETENSORS: &str = "0.8.0";

/// The target of the page's code.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The name under which rustup knows the compiler made from Debian's packages, where one is needed.
pub const DEBIAN_TOOLCHAIN: &str = "rg-flow-wasm";
