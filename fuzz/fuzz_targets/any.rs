//! Every reader of `hostile` in one program, which is linked once: `RG_FLOW_TARGET` says which one runs.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

/// The reader's name.
const TARGET: &str = "RG_FLOW_TARGET";
/// The folder that its seeds are written to before it starts, if there is one.
const SEEDS: &str = "RG_FLOW_SEEDS";

static RUN: OnceLock<fn(&[u8])> = OnceLock::new();

fn start() -> fn(&[u8]) {
    // libFuzzer's hook ends the program at every panic, even one of a decoder that the reader catches. What nobody catches
    // ends it all the same.
    let _ = std::panic::take_hook();
    let name = std::env::var(TARGET).unwrap_or_default();
    let target = hostile::target(&name).unwrap_or_else(|| panic!("{TARGET}={name:?}, but hostile has no such target"));
    if let Some(folder) = std::env::var_os(SEEDS) {
        hostile::write_seeds(target, folder.as_ref()).unwrap_or_else(|error| panic!("{SEEDS}: {error}"));
    }
    target.run
}

fuzz_target!(init: { RUN.get_or_init(start); }, |bytes: &[u8]| {
    RUN.get().into_iter().for_each(|run| run(bytes));
});
