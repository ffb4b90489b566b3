//! `trainer data`.

use crate::cli::DataArgs;
use crate::data::DataOptions;
use crate::error::Result;
use crate::output::say;

/// Writes a data set out as images.
///
/// # Errors
/// Data that cannot be read, or a folder that cannot be written.
pub fn run(args: DataArgs) -> Result<()> {
    super::keep_apart(&args.data, None, &args.out)?;
    let test_limit = args.limit.map(|n| n.div_ceil(10));
    let options = DataOptions {
        size: args.size,
        seed: args.seed,
        limit: args.limit,
        test_limit,
        skip_broken: args.skip_broken,
        ..DataOptions::default()
    };
    let dataset = super::source(&args.data)?.load(&options)?;
    super::tell(&dataset.notes);
    for (part, set) in [("train", &dataset.train), ("test", &dataset.test)] {
        let folder = args.out.join(part);
        set.write_images(&folder)?;
        say!("{}: {} images", folder.display(), set.len())?;
    }
    Ok(())
}
