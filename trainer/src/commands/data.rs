//! `trainer data`: a data set as files.

use std::path::PathBuf;

use clap::Args;
use shared::DataKind;

use crate::args::numbers::{MOST_IMAGES, count, seed};
use crate::args::{keep_apart, source, tell};
use crate::data::DataOptions;
use crate::error::{Error, Result};
use crate::output::say;

/// Arguments of `data`.
#[derive(Args, Debug, Clone)]
pub struct DataArgs {
    /// Name or path, as for `trainer train --data`.
    pub data: String,
    /// New folder for the images; they go to train and test inside it.
    #[arg(long)]
    pub out: PathBuf,
    /// Write at most this many training images, and a tenth as many test images [default: all].
    #[arg(long, value_parser = count(1..=MOST_IMAGES))]
    pub limit: Option<usize>,
    /// Skip images that cannot be read, and list them, instead of stopping.
    #[arg(long)]
    pub skip_broken: bool,
    /// Edge of the images in pixels, 1 to 4096.
    #[arg(long, default_value_t = 32, value_parser = count(1..=4096_usize))]
    pub size: usize,
    /// Seed of generated sets, of --limit, and of the split where the data have none.
    #[arg(long, default_value_t = 0, value_parser = seed())]
    pub seed: u64,
}

/// Writes a data set out as images.
///
/// # Errors
/// Data that cannot be read, or a folder that cannot be written.
pub fn run(args: DataArgs) -> Result<()> {
    keep_apart(&args.data, None, &args.out)?;
    let test_limit = args.limit.map(|n| n.div_ceil(10));
    let options = DataOptions {
        size: args.size,
        seed: args.seed,
        limit: args.limit,
        test_limit,
        skip_broken: args.skip_broken,
        ..DataOptions::default()
    };
    let source = source(&args.data)?;
    if source.kind() == DataKind::Field {
        let problem = format!("{source} holds fields, real numbers that a PNG cannot hold");
        return Err(Error::usage("DATA", problem, "give images"));
    }
    let dataset = source.load(&options)?;
    tell(&dataset.notes);
    for (part, set) in [("train", &dataset.train), ("test", &dataset.test)] {
        let folder = args.out.join(part);
        set.write_images(&folder)?;
        say!("{}: {} images", folder.display(), set.len())?;
    }
    Ok(())
}
